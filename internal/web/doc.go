// Package web is the public listener: the sign-in pages, the one sign-in endpoint, the federation callbacks and the agents'
// enrolment.
//
// In come HTTP requests of strangers; out go pages, cookies and JSON. What a sign-in comes to is decided by authn.Flow
// alone: this package reads a request strictly, hands it over, and turns the Result into an answer.
//
//	POST /signin ─ admit (address rate, places in flight) ─ read ─ Flow.SignIn or Flow.Continue ─ answer: JSON or page
//	callbacks    ─ admit ─ read ─ Flow.Continue with the pending cookie ─ answer: page
//
// It never compares a password, never speaks a federation protocol, never reads a precise reason into a body (only
// Reason.Public), and never keeps state about a person outside the cookies: sessions and pending steps live in session.
package web
