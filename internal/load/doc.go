// Package load signs many people in at a fixed rate and says how long each had to wait.
//
// In come a target, a plan and the people of a lab; out comes a Result: counts by path and outcome, and two distributions
// of time. The model is open: arrivals are planned before the run, and a slow answer delays none of them. Latency counts
// from the intended start of an arrival, so a stall of the server shows for everybody who would have come meanwhile
// (measuring only from the moment of sending hides it: coordinated omission). Service time, from the sending, stands
// beside it. An arrival that finds the bound of open sign-ins reached is not sent, and counted as dropped.
//
// It never sends anything to an address that is not loopback: names are resolved and judged at the start and again at
// every connection, redirects and forms included, and no proxy is used. It never guesses often enough at one account to
// lock it, never writes a password anywhere, and is bounded in rate, time and open sign-ins.
package load
