/// The reason why an exchange failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SaslError {
    /// The client sent `*` (501 5.7.0 in SMTP, BAD in IMAP).
    #[error("authentication cancelled by the client")]
    Cancelled,
    /// Not base64 (501 5.5.2, BAD).
    #[error("the response is not base64")]
    NotBase64,
    /// The mechanism's own syntax is violated (501 5.5.2, BAD).
    #[error("the response is malformed")]
    Malformed,
    /// The syntax is right, but the password cannot exist: it is as wrong as any other (535 5.7.8, NO).
    #[error("the password is too long, empty or contains a NUL")]
    InvalidPassword,
    /// The client asks to act as another user, which is never allowed (535 5.7.8, NO).
    #[error("the authorization identity differs from the login")]
    AuthzidMismatch,
}
