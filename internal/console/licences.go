package console

// Licences is the port of the noun.
type Licences any
