//! Databases on servers.

use ommi_conformance::server::beside;

#[test]
fn a_database_stands_beside_that_of_the_url() {
    let e = |url| beside(url, "e");
    assert_eq!(e("postgres://a:b@c:1/d?pool=2").as_deref(), Some("postgres://a:b@c:1/e?pool=2"));
    assert_eq!(e("mongodb://a,b/").as_deref(), Some("mongodb://a,b/e"));
    assert_eq!(e("mongodb://a").as_deref(), Some("mongodb://a/e"));
    for none in ["memory:", "sqlite::memory:", "sqlite:///tmp/a.db"] {
        assert_eq!(e(none), None);
    }
}
