use hyper::{Method, StatusCode};
use serde::Serialize;

use super::findings::Finding;
use super::metrics::{self, DaemonMetrics, Format};
use super::observation::Observation;
use super::report::{Report, recent_status};

/// An HTTP response.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct HealthResponse {
    pub(super) code: StatusCode,
    /// `Content-Type`.
    pub(super) kind: &'static str,
    pub(super) body: String,
}

const JSON: &str = "application/json";

/// The pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HealthPage {
    /// `/health/live`.
    Live,
    /// `/health/ready`.
    Ready,
    /// `/metrics`.
    Metrics,
}

#[derive(Serialize)]
struct LiveBody<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a Finding>,
}

#[derive(Serialize)]
struct ErrorBody {
    error: &'static str,
}

impl HealthPage {
    /// Finds the page for a path, or the response for an unknown one. A query is ignored.
    pub(super) fn parse(method: &Method, path: &str) -> Result<Self, HealthResponse> {
        let page = match path {
            "/health/live" => Self::Live,
            "/health/ready" => Self::Ready,
            "/metrics" => Self::Metrics,
            _ => {
                let error = "not found; the pages are /health/live, /health/ready and /metrics";
                return Err(HealthResponse::new(StatusCode::NOT_FOUND, &ErrorBody { error }));
            }
        };
        if method != Method::GET && method != Method::HEAD {
            let error = "method not allowed; use GET or HEAD";
            return Err(HealthResponse::new(StatusCode::METHOD_NOT_ALLOWED, &ErrorBody { error }));
        }
        Ok(page)
    }

    /// Answers from the observation, and for the metrics also from the daemons' answers.
    pub(super) fn answer(
        self,
        observation: &Observation,
        daemon_metrics: &DaemonMetrics,
        format: Format,
    ) -> HealthResponse {
        let code = |good| if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        match self {
            Self::Live => match recent_status(observation) {
                Ok(_) => HealthResponse::new(code(true), &LiveBody { status: "live", reason: None }),
                Err(reason) => {
                    HealthResponse::new(code(false), &LiveBody { status: "dead", reason: Some(&reason) })
                }
            },
            Self::Ready => {
                let report = Report::on(observation);
                HealthResponse::new(code(report.is_serving()), &report)
            }
            Self::Metrics => HealthResponse {
                code: StatusCode::OK,
                kind: format.content_type(),
                body: metrics::text(observation, daemon_metrics, format),
            },
        }
    }
}

impl HealthResponse {
    fn new(code: StatusCode, content: &impl Serialize) -> Self {
        let mut body = serde_json::to_string_pretty(content).expect("our own reports have string keys only");
        body.push('\n');
        Self { code, kind: JSON, body }
    }

    /// The response if the disks have not answered in time.
    pub(super) fn too_slow() -> Self {
        let error = "the volume does not respond; check its disk or its file server";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, &ErrorBody { error })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_three_pages_for_get_and_head() {
        for (method, path, outcome) in [
            (Method::GET, "/health/live", Ok(HealthPage::Live)),
            (Method::HEAD, "/health/ready", Ok(HealthPage::Ready)),
            (Method::GET, "/metrics", Ok(HealthPage::Metrics)),
            (Method::POST, "/health/ready", Err(StatusCode::METHOD_NOT_ALLOWED)),
            (Method::DELETE, "/", Err(StatusCode::NOT_FOUND)),
            (Method::GET, "/health", Err(StatusCode::NOT_FOUND)),
            (Method::GET, "/health/ready/", Err(StatusCode::NOT_FOUND)),
            (Method::GET, "/../etc/passwd", Err(StatusCode::NOT_FOUND)),
        ] {
            assert_eq!(
                HealthPage::parse(&method, path).map_err(|page| page.code),
                outcome,
                "{method} {path}"
            );
        }
    }
}
