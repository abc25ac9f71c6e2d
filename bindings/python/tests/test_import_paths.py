"""Every import path that programs use."""

import importlib
import subprocess
import sys

import pytest

PATHS = {
    "ommi": """Ommi OmmiTransaction ommi_model OmmiModel BaseDriver BaseDriverTransaction active_driver use_driver
        FieldType StoreAs Auto Key DBResult DBQueryResult ReferenceTo Unique Index Lazy LazyList AssociateUsing
        ModelCollection when where OmmiError NotFound NotUnique ConstraintError""",
    "ommi.models": "ommi_model OmmiModel",
    "ommi.models.collections": "ModelCollection get_global_collection",
    "ommi.models.field_metadata": """FieldMetadata AggregateMetadata MetadataFlag FieldType ReferenceTo StoreAs Auto Key
        create_metadata_type create_metadata_flag""",
    "ommi.models.query_fields": """LazyQueryField LazyLoadTheRelated LazyLoadEveryRelated AssociateUsing
        AssociateOnReference QueryStrategy""",
    "ommi.models.references": "FieldReference LazyReferenceBuilder",
    "ommi.models.metadata": "OmmiMetadata",
    "ommi.query_ast": """when where ASTGroupNode ASTReferenceNode ASTLiteralNode ASTComparisonNode ASTOperatorNode
        ASTLogicalOperatorNode ResultOrdering""",
    "ommi.driver_context": "active_driver UseDriver use_driver get_current_driver",
    "ommi.database": """Ommi OmmiTransaction DBResult DBSuccess DBFailure DBResultBuilder DBStatusNoResultException
        DBQueryResult DBQuerySuccess DBQueryFailure""",
    "ommi.database.results": "DBResult DBSuccess DBFailure DBResultBuilder DBStatusNoResultException",
    "ommi.database.query_results": """DBQueryResult DBQuerySuccess DBQueryFailure DBQueryResultBuilder
        DBEmptyQueryException""",
    "ommi.results": "DBResult DBSuccess DBFailure DBResultBuilder DBStatusNoResultException",
    "ommi.query_results": "DBQueryResult DBQuerySuccess DBQueryFailure DBQueryResultBuilder DBEmptyQueryException",
    "ommi.drivers": "BaseDriver BaseDriverTransaction",
    "ommi.drivers.exceptions": """BaseDriverException DriverConnectFailed DriverAddFailed ModelInsertError
        DriverQueryFailed DriverModelNotFound DriverOperationError ModelUpdateError SchemaError
        IncompatibleSchemaEvolutionError LockError UnsupportedError TransactionError""",
    "ommi.ext.drivers.sqlite": "SQLiteDriver SQLiteSettings SQLiteTransaction",
    "ommi.ext.drivers.sqlite.driver": "SQLiteDriver SQLiteSettings",
    "ommi.ext.drivers.postgresql": "PostgreSQLDriver PostgreSQLSettings PostgreSQLTransaction",
    "ommi.ext.drivers.postgresql.driver": "PostgreSQLDriver PostgreSQLSettings",
    "ommi.ext.drivers.mongodb": "MongoDBDriver MongoDBSettings MongoDBTransaction",
    "ommi.ext.drivers.mongodb.driver": "MongoDBDriver MongoDBSettings",
    "ommi.errors": "OmmiError",
    "ommi.sync": "Ommi",
    "ommi.testing": "count_statements ommi_db",
}


@pytest.mark.parametrize("module", PATHS)
def test_the_path_has_its_names(module):
    found = importlib.import_module(module)
    missing = [name for name in PATHS[module].split() if not hasattr(found, name)]
    assert not missing


@pytest.mark.parametrize("module", [*PATHS, "ommi.results", "ommi.query_results"])
def test_names_in_all_exist(module):
    found = importlib.import_module(module)
    assert [name for name in getattr(found, "__all__", []) if not hasattr(found, name)] == []


def test_no_package_is_needed_for_dataclasses():
    program = "import sys, ommi; print(sorted(set(sys.modules) & {'attr', 'attrs', 'pydantic', 'pytest', 'sqlite3'}))"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
