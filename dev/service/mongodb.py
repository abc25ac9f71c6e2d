"""The few commands that starting MongoDB takes, without a client of it.

mongodb.py PORT ping|initiate|initiate-durable|is-primary
"""

import socket
import struct
import sys

MESSAGE = 2013


def document(fields):
    """A document of BSON; of the types that the commands below have."""
    body = b"".join(element(name, value) for name, value in fields.items())
    return struct.pack("<i", len(body) + 5) + body + b"\0"


def element(name, value):
    key = name.encode() + b"\0"
    match value:
        case bool():
            return b"\x08" + key + bytes([value])
        case int():
            return b"\x10" + key + struct.pack("<i", value)
        case str():
            text = value.encode() + b"\0"
            return b"\x02" + key + struct.pack("<i", len(text)) + text
        case dict():
            return b"\x03" + key + document(value)
        case list():
            return b"\x04" + key + document({str(index): item for index, item in enumerate(value)})


def received(connection, length):
    data = b""
    while len(data) < length:
        part = connection.recv(length - len(data))
        if not part:
            raise ConnectionError("the server closed the connection")
        data += part
    return data


def run(port, command):
    """The bytes of the answer to a command to the database `admin`."""
    body = struct.pack("<ib", 0, 0) + document({**command, "$db": "admin"})
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(struct.pack("<iiii", len(body) + 16, 1, 0, MESSAGE) + body)
        (length,) = struct.unpack("<i", received(connection, 4))
        return received(connection, length - 4)


def holds(answer, name):
    """Whether a field of an answer is true, or the number 1.0."""
    key = name.encode() + b"\0"
    return b"\x08" + key + b"\x01" in answer or b"\x01" + key + struct.pack("<d", 1.0) in answer


def main(port, command):
    match command:
        case "ping":
            return holds(run(port, {"ping": 1}), "ok")
        case "is-primary":
            return holds(run(port, {"hello": 1}), "isWritablePrimary")
        case "initiate" | "initiate-durable":
            members = [{"_id": 0, "host": f"127.0.0.1:{port}"}]
            # whether a write waits for the journal
            durable = command == "initiate-durable"
            config = {"_id": "ommi", "members": members, "writeConcernMajorityJournalDefault": durable}
            answer = run(port, {"replSetInitiate": config})
            return holds(answer, "ok") or b"AlreadyInitialized" in answer
    sys.exit(__doc__)


if __name__ == "__main__":
    sys.exit(not main(int(sys.argv[1]), sys.argv[2]))
