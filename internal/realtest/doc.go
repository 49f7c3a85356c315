// Package realtest starts real servers that the project did not write (Samba AD DC, OpenLDAP, SimpleSAMLphp,
// panva's oidc-provider, PostgreSQL, Chromium) so that a test can prove a sign-in path against them.
//
// In comes a test; out goes a running server: its addresses, its certificate authority, its base DN and the people
// in it, one in every account state. A server listens on a loopback address of its own, keeps all its files in a
// temporary folder, is waited for until it answers, and is ended by its process id when the test ends. Samba and
// OpenLDAP are shared by the tests of a package that calls [Main] from its TestMain.
//
// The package installs nothing (`.ci/install` does), is imported by test files only, never leaves loopback, and never
// touches a server that it did not start. A test that needs a server runs only under `make test-real`, which sets
// FOURWAYS_REAL=1; see [Need]. Every password in here is public.
package realtest
