// Package agentlink is what a gateway and its on-premises agents say to each other: the messages, how they are sealed and
// signed, how an agent enrols, and both ends of the connection.
//
//	gateway  pta.<id>.bind     a sealed password          ->  agent
//	agent    up.<id>.binding   "may I bind?"              ->  gateway
//	gateway  reply             "yes", to the first alone  ->  agent
//	agent    reply             the directory's verdict    ->  gateway
//	agent    up.<id>.alive     every few seconds          ->  gateway
//	gateway  pta.<id>.sync     read your directory        ->  agent
//	agent    up.<id>.sync      sealed objects, asks on    ->  gateway
//
// In comes a Question (a name and a password) on the gateway's side; out comes a Reply. Every message carries a version and
// an Ed25519 signature of its sender over its kind and body. The password is sealed by AES-256-GCM under a key that both
// ends export from HPKE (RFC 9180, section 5.3) once per agent and minute; what an agent sends up is sealed to the gateway
// in the same way.
//
// The map: envelope.go and messages.go are what travels, seal.go and keys.go how it is protected. On the gateway's side
// link.go knows who lives (presence.go), ask.go asks, call.go and answer.go believe what comes back, and sync.go takes what is
// read. On the agent's side dial.go connects, receiver.go hears and speaks, and uplink.go sends. enrol.go and enrolhttp.go
// are the two ends of an enrolment, identity.go the key file that is left of it.
//
// The package never decides about a person, never stores anything durable but the agent's own key file, and never puts a
// password on the wire in any form that the broker, or another agent, can read.
package agentlink
