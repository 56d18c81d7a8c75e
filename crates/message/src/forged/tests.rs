use address::Domain;

use super::trace_fields;

fn left(header: &str, hostname: &str) -> String {
    let mut left = header.to_owned();
    for range in trace_fields(header.as_bytes(), &Domain::parse(hostname).unwrap()).into_iter().rev() {
        left.replace_range(range, "");
    }
    left
}

#[test]
fn results_that_a_reader_could_mistake_for_ours_are_removed() {
    for forged in [
        "Authentication-Results: mx.example.org; dkim=pass",
        "AUTHENTICATION-RESULTS:MX.EXAMPLE.ORG;dkim=pass",
        "Authentication-Results : mx.example.org; dkim=pass",
        "Authentication-Results\t: mx.example.org; dkim=pass",
        "Authentication-Results: mx.example.org. ; dkim=pass",
        "Authentication-Results: mx.example.org/1; dkim=pass",
        "Authentication-Results: mx.example.org 1; dkim=pass",
        "Authentication-Results: (x) mx.example.org/1; dkim=pass",
        "Authentication-Results: (a (b;) c)\r\n\t(d) mx.example.org; dkim=pass",
        "Authentication-Results: (open mx.example.org; dkim=pass",
        "Authentication-Results: mx.example.org(x); dkim=pass",
        "Authentication-Results: \"mx.example.org\"; dkim=pass",
        "Authentication-Results: \"mx.example\\.org\" 1; dkim=pass",
        "Authentication-Results: \"mx.example.org; dkim=pass",
        "Authentication-Results:\r\n mx.example.org\r\n ;\r\n dkim=pass",
        "Authentication-Results: mx.example.org dkim=pass",
        "Authentication-Results: mx.example.org, dkim=pass",
        "Authentication-Results: mx . example . org; dkim=pass",
        "Authentication-Results: =?utf-8?q?mx=2Eexample=2Eorg?=; dkim=pass",
        "Authentication-Results: other.example mx.example.org; dkim=pass",
        "Authentication-Results: ｍｘ.example。org; dkim=pass",
        "Authentication-Results: ; mx.example.org; dkim=pass",
        "Authentication-Results: dkim=pass header.d=bank.example",
        "Authentication-Results:",
        "ARC-Authentication-Results: i=1; mx.example.org; dkim=pass",
        "ARC-Authentication-Results: i=1; (x) \"MX.example.org.\"; dkim=pass",
        "Received-SPF: pass (mx.example.org: domain of a@bank.example) client-ip=192.0.2.1",
        "Received-SPF: pass receiver=\"MX.EXAMPLE.ORG.\"",
    ] {
        let header = format!("A: b\r\n{forged}\r\nC: d\r\n\r\n");
        assert_eq!(left(&header, "mx.example.org"), "A: b\r\nC: d\r\n\r\n", "{forged:?}");
    }
}

#[test]
fn an_internationalised_host_name_is_recognised_in_every_spelling() {
    for id in ["bücher.example", "BÜCHER.example", "xn--bcher-kva.example", "XN--BCHER-KVA.EXAMPLE."] {
        for name in ["Authentication-Results: ", "Received-SPF: pass receiver="] {
            assert_eq!(left(&format!("{name}{id}; spf=pass\r\n"), "bücher.example"), "", "{name}{id}");
        }
    }
}

#[test]
fn results_of_other_hosts_are_kept() {
    for field in [
        "Authentication-Results: other.example; none\r\n",
        "authentication-results:\r\n\tother.example 1;\r\n\tspf=pass smtp.rcpttodomain=mx.example.org\r\n",
        "Authentication-Results: mx.example.org.other.example; dkim=pass\r\n",
        "Authentication-Results: notmx.example.org; dkim=pass\r\n",
        "ARC-Authentication-Results: i=1; other.example; dkim=pass\r\n",
        "Received-SPF: pass (other.example: domain of a@b.example) receiver=other.example\r\n",
        "X-Spam-Status: No\r\nDelivered-To: ann@example.org\r\n",
        "X-Note: Authentication-Results: mx.example.org; dkim=pass\r\n",
    ] {
        assert_eq!(left(field, "mx.example.org"), field);
    }
}
