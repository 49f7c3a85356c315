package console

// Domains is the port of the noun.
type Domains any
