use crate::Password;

/// The login name and the password from a client.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The name, such as `ann@example.org`.
    pub login: String,
    /// The password.
    pub password: Password,
}
