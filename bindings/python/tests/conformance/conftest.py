"""Databases that can do what a case cannot do without."""

from __future__ import annotations

import pytest


@pytest.fixture
def transactional(db):
    """A database with transactions."""
    if not db.capabilities["transaction.transactions"]:
        pytest.skip("the driver has no transactions")
    return db


@pytest.fixture
def nesting(transactional):
    """A database with savepoints."""
    if not transactional.capabilities["transaction.savepoints"]:
        pytest.skip("the driver has no savepoints")
    return transactional


@pytest.fixture
def speaking(db):
    """A database with a language of its own."""
    if not db.capabilities["operation.raw"]:
        pytest.skip("the driver has no language of its own")
    return db
