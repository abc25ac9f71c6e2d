"""The driver of MongoDB."""

from ommi.ext.drivers.mongodb.driver import MongoDBDriver, MongoDBSettings, MongoDBTransaction

__all__ = ["MongoDBDriver", "MongoDBSettings", "MongoDBTransaction"]
