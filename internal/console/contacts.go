package console

// Contacts is the port of the noun.
type Contacts any
