package console

// Apps is the port of the noun.
type Apps any
