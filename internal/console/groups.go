package console

// Groups is the port of the noun.
type Groups any
