"""Models: `ommi_model` makes one of a class."""

from ommi.models.models import OmmiModel, ommi_model

__all__ = ["OmmiModel", "ommi_model"]
