package console

// Bulk is the port of the noun.
type Bulk any
