use super::*;

async fn whole(content: &Content) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut chunks = content.chunks();
    while let Some(chunk) = chunks.next().await.unwrap() {
        octets.extend_from_slice(&chunk);
    }
    octets
}

async fn spooled(folder: &Path, octets: &[u8], step: usize) -> Result<Content, SpoolError> {
    let mut incoming = Spool::new(folder.to_owned()).begin();
    for piece in octets.chunks(step) {
        incoming.write(piece).await?;
    }
    incoming.finish().await
}

#[tokio::test]
async fn the_header_section_ends_at_the_first_empty_line_however_the_octets_are_cut() {
    let folder = tempfile::tempdir().unwrap();
    for (message, header) in [
        ("A: b\r\n\r\nbody\r\n\r\nmore\r\n", "A: b\r\n\r\n"),
        ("\r\nbody\r\n", "\r\n"),
        ("A: b\r\n", "A: b\r\n"),
        ("", ""),
    ] {
        for step in 1..=message.len().max(1) {
            let content = spooled(folder.path(), message.as_bytes(), step).await.unwrap();
            assert_eq!(content.header(), header.as_bytes(), "{message:?} in pieces of {step}");
            assert_eq!(whole(&content).await, message.as_bytes());
        }
        assert_eq!(Content::from_octets(message.into()).header(), header.as_bytes());
    }
}

#[tokio::test]
async fn a_first_line_that_is_a_continuation_line_begins_the_body() {
    let folder = tempfile::tempdir().unwrap();
    for message in [" ; dkim=pass\r\nFrom: x@example.org\r\n\r\nbody\r\n", "\tx\r\n", " \r\n\r\n"] {
        for step in 1..=message.len() {
            let content = spooled(folder.path(), message.as_bytes(), step).await.unwrap();
            assert_eq!(content.header(), b"\r\n", "{message:?} in pieces of {step}");
            assert_eq!(whole(&content).await, [b"\r\n", message.as_bytes()].concat());
        }
    }
}

#[tokio::test]
async fn text_without_a_header_section_is_the_body() {
    let folder = tempfile::tempdir().unwrap();
    for (header, body) in [
        ("", "please call me back, the disk is full\r\nhost7\r\n"),
        ("From: x@example.org\r\nSubject: alert\r\n", "node7 is down since noon\r\nsecond line\r\n"),
        ("", "no line end"),
    ] {
        let message = format!("{header}{body}");
        for step in 1..=message.len() {
            let content = spooled(folder.path(), message.as_bytes(), step).await.unwrap();
            assert_eq!(
                content.header(),
                format!("{header}\r\n").as_bytes(),
                "{message:?} in pieces of {step}"
            );
            assert_eq!(whole(&content).await, format!("{header}\r\n{body}").as_bytes());
        }
    }
}

#[tokio::test]
async fn a_large_body_is_written_to_an_unlinked_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut message = b"A: b\r\n\r\n".to_vec();
    message.extend((0..700_000u32).map(|n| b'a' + (n % 23) as u8));
    let content = spooled(folder.path(), &message, 70_001).await.unwrap();
    assert!(matches!(&*content.body, Body::File { .. }));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    assert_eq!(content.len(), message.len() as u64);
    assert_eq!(whole(&content).await, message);
    let mut copy = Vec::new();
    content.copy_to(&mut copy).unwrap();
    assert_eq!(copy, message);
}

#[tokio::test]
async fn without_budget_small_bodies_are_written_to_files_too() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool { folder: folder.path().into(), budget: Arc::new(tokio::sync::Semaphore::new(0)) };
    let mut incoming = spool.begin();
    incoming.write(&[b"A: b\r\n\r\n".as_slice(), &[b'x'; 9000]].concat()).await.unwrap();
    let content = incoming.finish().await.unwrap();
    assert!(matches!(&*content.body, Body::File { length: 9000, .. }));
}

#[tokio::test]
async fn an_endless_header_section_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let line = [b"X: ".as_slice(), &[b'x'; 10_000], b"\r\n"].concat();
    let mut incoming = Spool::new(folder.path().to_owned()).begin();
    let mut refused = false;
    for _ in 0..100 {
        refused |= matches!(incoming.write(&line).await, Err(SpoolError::HeaderTooLong));
    }
    assert!(refused);
}

#[test]
fn fields_are_removed_and_put_on_top() {
    let octets = b"A: 1\r\nDrop: x\r\n\ty\r\nB: 2\r\nDrop: z\r\n\r\nDrop: body\r\n";
    let mut content = Content::from_octets(octets.to_vec());
    let fields = message::field::fields(content.header());
    let unwanted: Vec<_> =
        fields.filter(|field| field.is("drop")).map(|field| field.start..field.end).collect();
    content.remove(&unwanted);
    content.prepend(b"Received: here\r\n");
    let mut octets = Vec::new();
    content.copy_to(&mut octets).unwrap();
    assert_eq!(octets, b"Received: here\r\nA: 1\r\nB: 2\r\n\r\nDrop: body\r\n");
}

#[test]
fn a_file_of_the_queue_is_read_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.eml");
    let message = [b"A: b\r\n\r\n".as_slice(), &vec![b'x'; 200_000]].concat();
    std::fs::write(&path, &message).unwrap();
    let content = Content::open(&path).unwrap();
    assert_eq!(content.header(), b"A: b\r\n\r\n");
    let mut octets = Vec::new();
    content.copy_to(&mut octets).unwrap();
    assert_eq!(octets, message);
}

fn long_header(lines: usize) -> Vec<u8> {
    (0..lines).flat_map(|line| format!("X-{line}: {}\r\n", "x".repeat(900)).into_bytes()).collect()
}

fn free(spool: &Spool) -> usize {
    spool.budget.available_permits()
}

#[tokio::test]
async fn a_long_header_section_uses_the_memory_budget_only_when_it_is_complete() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::new(folder.path().to_owned());
    let all = free(&spool);
    let message = [long_header(500), b"\r\nbody\r\n".to_vec()].concat();
    let mut incoming = spool.begin();
    for piece in message.chunks(30_000) {
        incoming.write(piece).await.unwrap();
        assert!(incoming.in_memory() <= 16 * 1024 + 30_000, "{}", incoming.in_memory());
    }
    assert_eq!(free(&spool), all, "nothing is reserved for octets in the file");
    let content = incoming.finish().await.unwrap();
    let pages = (2 * content.header().len()).div_ceil(4096);
    assert_eq!(free(&spool), all - pages);
    let copy = content.clone();
    drop(content);
    assert_eq!(free(&spool), all - pages, "a clone shares it");
    drop(copy);
    assert_eq!(free(&spool), all);
}

#[tokio::test]
async fn a_long_header_section_reads_back_however_the_octets_are_cut() {
    let folder = tempfile::tempdir().unwrap();
    let header = [long_header(40), b"\r\n".to_vec()].concat();
    for body in [b"".to_vec(), b" begins with white space\r\n\r\n".to_vec(), vec![b'x'; 100_000]] {
        let message = [header.clone(), body].concat();
        for step in [1, 997, 16 * 1024, header.len() - 3, header.len() - 1, header.len(), message.len()] {
            let content = spooled(folder.path(), &message, step).await.unwrap();
            assert_eq!(content.header(), header, "in pieces of {step}");
            assert!(whole(&content).await == message, "in pieces of {step}");
            let mut copy = Vec::new();
            content.copy_to(&mut copy).unwrap();
            assert!(copy == message, "in pieces of {step}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_header_section_waits_for_the_budget_and_is_then_deferred() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool { folder: folder.path().into(), budget: Arc::new(tokio::sync::Semaphore::new(60)) };
    let message = [long_header(100), b"\r\nbody\r\n".to_vec()].concat();
    let (mut first, mut second) = (spool.begin(), spool.begin());
    first.write(&message).await.unwrap();
    second.write(&message).await.unwrap();
    let first = first.finish().await.unwrap();
    assert!(matches!(second.finish().await, Err(SpoolError::NoMemory)));
    drop(first);
    let mut third = spool.begin();
    third.write(&message).await.unwrap();
    assert!(third.finish().await.is_ok());
}
