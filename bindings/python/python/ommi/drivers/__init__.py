"""The interface of drivers. Those that Ommi comes with are in `ommi.ext.drivers`."""

from ommi.drivers.drivers import BaseDriver
from ommi.drivers.transactions import BaseDriverTransaction

__all__ = ["BaseDriver", "BaseDriverTransaction"]
