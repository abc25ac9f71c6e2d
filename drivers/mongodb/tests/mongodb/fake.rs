//! A server that says what it is told to say.

use ommi::mongodb::mongodb::bson::{Document, doc, serialize_to_vec};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const QUERY: i32 = 2004;
const MESSAGE: i32 = 2013;

/// Starts a server that answers every command with a document, and gives its address. It ends with
/// the runtime.
pub(crate) async fn server(answer: impl FnOnce(&str) -> Document) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let answer = answer(&address);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(talk(stream, answer.clone()));
        }
    });
    address
}

/// What a server of some version, and of some kind, says of itself.
pub(crate) fn hello(wire_version: i32, kind: Document) -> Document {
    let mut hello = doc! {
        "ok": 1,
        "helloOk": true,
        "maxBsonObjectSize": 16_777_216,
        "maxMessageSizeBytes": 48_000_000,
        "maxWriteBatchSize": 100_000,
        "minWireVersion": 0,
        "maxWireVersion": wire_version,
        "readOnly": false,
    };
    hello.extend(kind);
    hello
}

/// Answers each message, in the form in which it was asked, until the other side has enough.
async fn talk(mut stream: TcpStream, answer: Document) -> std::io::Result<()> {
    let body = serialize_to_vec(&answer).unwrap();
    loop {
        let length = usize::try_from(stream.read_i32_le().await?).unwrap();
        let mut rest = vec![0; length - 4];
        stream.read_exact(&mut rest).await?;
        let number = |at: usize| i32::from_le_bytes(rest.get(at..at + 4).unwrap().try_into().unwrap());
        let (request, operation) = (number(0), number(8));
        let (of_answer, before) = match operation {
            // flags, cursor, start, number of documents
            QUERY => (1, [0, 0, 0, 0, 1].map(i32::to_le_bytes).concat()),
            _ => (MESSAGE, vec![0; 5]),
        };
        let length = i32::try_from(16 + before.len() + body.len()).unwrap();
        let mut message = [length, 1, request, of_answer].map(i32::to_le_bytes).concat();
        message.extend(before);
        message.extend(&body);
        stream.write_all(&message).await?;
    }
}
