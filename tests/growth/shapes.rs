//! The shapes of input, by crate.

mod accounts;
mod imap;
mod message;
mod smtp;
mod values;

/// One kind of input for one function.
pub(crate) struct Shape {
    /// The name that is printed when it fails.
    pub(crate) name: String,
    /// Its size at factor one, in octets or in items.
    pub(crate) size: usize,
    /// Makes the input of a size, and returns the work to be measured on it.
    pub(crate) make: Box<dyn Fn(usize) -> Box<dyn FnOnce()>>,
}

/// All shapes, in the order in which they are measured.
pub(crate) fn all() -> Vec<Shape> {
    let mut shapes = message::shapes();
    shapes.extend(imap::shapes());
    shapes.extend(smtp::shapes());
    shapes.extend(accounts::shapes());
    shapes
}

/// A shape with the input that `make` returns and the work that `work` does on it.
fn shape<T: 'static>(
    name: impl Into<String>,
    size: usize,
    make: impl Fn(usize) -> T + 'static,
    work: impl Fn(T) + Copy + 'static,
) -> Shape {
    let make = move |size| -> Box<dyn FnOnce()> {
        let input = make(size);
        Box::new(move || work(input))
    };
    Shape { name: name.into(), size, make: Box::new(make) }
}

/// A piece repeated up to a size.
fn fill(piece: &[u8], size: usize) -> Vec<u8> {
    piece.repeat(size.div_ceil(piece.len()))
}

/// Pieces with their number in place of `#`, up to a size.
fn count(piece: &str, size: usize) -> Vec<u8> {
    (0..size.div_ceil(piece.len()))
        .flat_map(|index| piece.replace('#', &index.to_string()).into_bytes())
        .collect()
}
