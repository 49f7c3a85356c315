package gateway

import (
	"context"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// Operator is the gateway as the program that started it steers it: the same things as over the console, without a token.
type Operator struct {
	*People
	g *Gateway
}

// Operator gives the program that opened the gateway its controls.
func (g *Gateway) Operator() *Operator { return &Operator{People: g.people(), g: g} }

// SyncRun runs a synchronisation.
func (o *Operator) SyncRun(ctx context.Context, kinds []string) ([]directory.Run, error) {
	return o.g.SyncRun(ctx, kinds)
}

// SetTally sets a lockout count.
func (o *Operator) SetTally(ctx context.Context, key string, to authn.Tally) error {
	return o.g.core.store.SetTally(ctx, key, to)
}

// AgentLive reports that an agent of the role could be asked now.
func (o *Operator) AgentLive(role string) bool {
	link := o.g.onprem.current()
	return link != nil && link.Live(role)
}

// AgentURL is where agents dial; "" while the agent link is not open.
func (o *Operator) AgentURL() string {
	o.g.onprem.mu.Lock()
	defer o.g.onprem.mu.Unlock()
	return o.g.onprem.url
}

// NewToken makes a console token.
func (o *Operator) NewToken(ctx context.Context, t api.NewToken) (api.Token, error) {
	return (&Access{Store: o.Store, Clock: o.Clock}).NewToken(ctx, t)
}

// Mark and Marked keep a note about the whole store, such as that the demo world was filled in.
func (o *Operator) Mark(ctx context.Context, name, value string) error {
	return o.Store.SetMeta(ctx, name, value)
}

// Marked reads a note; "" when there is none.
func (o *Operator) Marked(ctx context.Context, name string) (string, error) {
	return found(o.Store.Meta(ctx, name))
}
