//! A short answer for who is not let in, at bounded cost.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::door::Full;

/// Told at the same time; whoever comes beyond is closed without a word.
const AT_ONCE: usize = 256;
/// How long it may take, from the request that is waited for to the close of the other side.
const PATIENCE: Duration = Duration::from_secs(1);

/// Everybody's words when the house is full.
const FULL: &str = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 10\r\nconnection: close\r\n\
                    content-type: text/plain; charset=utf-8\r\ncontent-length: 52\r\n\r\n\
                    All places are taken; come again in a few seconds.\r\n";
/// The words for an address that has its share.
const SHARE: &str = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 10\r\nconnection: close\r\n\
                     content-type: text/plain; charset=utf-8\r\ncontent-length: 66\r\n\r\n\
                     Your address has many connections open; come again with fewer.  \r\n";

/// Those who are being told.
pub(super) struct Farewells(Arc<Semaphore>);

impl Default for Farewells {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Farewells {
    /// Tells and closes, without keeping the accept loop waiting.
    pub(super) fn say(&self, stream: TcpStream, full: Full) {
        let Ok(permit) = Arc::clone(&self.0).try_acquire_owned() else { return };
        tokio::spawn(async move {
            let _late = tokio::time::timeout(PATIENCE, tell(stream, full)).await;
            drop(permit);
        });
    }
}

/// Waits for the request (an answer before its question confuses clients), answers, and lets the other side
/// close first, so that it gets to read the answer.
async fn tell(mut stream: TcpStream, full: Full) -> std::io::Result<()> {
    let mut scratch = [0; 2048];
    if stream.read(&mut scratch).await? == 0 {
        return Ok(());
    }
    let words = match full {
        Full::Everybody => FULL,
        Full::Address => SHARE,
    };
    stream.write_all(words.as_bytes()).await?;
    stream.shutdown().await?;
    while stream.read(&mut scratch).await? > 0 {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_announced_lengths_are_true() {
        for words in [FULL, SHARE] {
            let (head, body) = words.split_once("\r\n\r\n").expect("a head and a body");
            assert!(head.contains(&format!("content-length: {}", body.len())), "{} {head}", body.len());
        }
    }
}
