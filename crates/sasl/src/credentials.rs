use crate::Password;

/// What a client says of itself.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The name, such as `ann@example.org`.
    pub login: String,
    /// The password.
    pub password: Password,
}
