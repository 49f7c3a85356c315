package console

// Rollouts is the port of the noun.
type Rollouts any
