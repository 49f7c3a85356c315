package console

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// Modes are the paths of the domains.
type Modes interface {
	ModeReader
	ModeWriter
	ModeBooks
}

// ModeReader tells the paths; directory.ErrNotFound for a domain that is not served.
type ModeReader interface {
	Modes(ctx context.Context) ([]api.Mode, error)
	Mode(ctx context.Context, domain string) (api.Mode, error)
}

// ModeWriter swaps paths. version is the one that the caller read, "" for any: directory.ErrChanged.
type ModeWriter interface {
	SetMode(ctx context.Context, domain string, c api.ModeChange, by, version string) (api.Mode, error)
	UndoMode(ctx context.Context, domain, by, version string) (api.Mode, error)
	ResetMode(ctx context.Context, domain, by, version string) (api.Mode, error)
}

// ModeBooks tells what a swap would do, and what swaps did.
type ModeBooks interface {
	PreviewMode(ctx context.Context, domain string, c api.ModeChange) (api.ModePreview, error)

	// ModeHistory gives the newest changes first, those before that id (0: all), of one domain or of all ("").
	ModeHistory(ctx context.Context, domain string, before int64, most int) ([]directory.ModeChange, error)
}

func (c *console) modeOperations() []operation {
	return []operation{
		look(c, "GET /mode", Reader, "List the domains and how their people sign in", c.modes),
		look(c, "GET /mode/{domain}", Reader, "Show how a domain's people sign in, and why", c.mode),
		act(c, "PUT /mode/{domain}", Operator, "Set domain authentication", "Swap a domain's path at run time", c.setMode),
		act(c, "DELETE /mode/{domain}", Operator, "Reset domain authentication", "Drop a domain's override: the configuration file counts again", c.resetMode),
		lookAt[api.ModeChange](look(c, "POST /mode/{domain}/preview", Reader, "Say what a swap would do, and change nothing", c.previewMode)),
		act(c, "POST /mode/{domain}/undo", Operator, "Undo domain authentication", "Bring back what the last swap replaced; each undo goes back one swap further", c.undoMode),
		look(c, "GET /mode-changes", Reader, "List the changes of paths, the newest first", c.modeHistory, paged(query("domain", "Only those of this domain."))...),
	}
}

// lookAt says what body a call that only looks reads.
func lookAt[In any](o operation) operation {
	o.in = typeOf[In]()
	return o
}

func (c *console) modes(r *http.Request) (api.Page[api.Mode], error) {
	modes, err := c.Modes.Modes(r.Context())
	return api.PageOf(modes), err
}

func (c *console) mode(r *http.Request) (api.Mode, error) {
	return c.Modes.Mode(r.Context(), r.PathValue("domain"))
}

func (c *console) setMode(r *http.Request, ask api.ModeChange, by api.Token) (did[api.Mode], error) {
	domain := r.PathValue("domain")
	d := did[api.Mode]{Before: c.pathOf(r, domain), After: string(ask.Path)}
	mode, err := c.Modes.SetMode(r.Context(), domain, ask, by.Name, ifMatch(r))
	if err == nil {
		d.Answer, d.After = mode, inShort(mode)
	}
	if ask.Reason != "" {
		d.After += " because: " + ask.Reason
	}
	return d, err
}

func (c *console) resetMode(r *http.Request, _ none, by api.Token) (did[api.Mode], error) {
	domain := r.PathValue("domain")
	d := did[api.Mode]{Before: c.pathOf(r, domain)}
	mode, err := c.Modes.ResetMode(r.Context(), domain, by.Name, ifMatch(r))
	d.Answer, d.After = mode, inShort(mode)
	return d, err
}

func (c *console) undoMode(r *http.Request, _ none, by api.Token) (did[api.Mode], error) {
	domain := r.PathValue("domain")
	d := did[api.Mode]{Before: c.pathOf(r, domain)}
	mode, err := c.Modes.UndoMode(r.Context(), domain, by.Name, ifMatch(r))
	d.Target, d.Answer, d.After = domain, mode, inShort(mode)
	return d, err
}

func (c *console) previewMode(r *http.Request) (api.ModePreview, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return api.ModePreview{}, err
	}
	ask, err := read[api.ModeChange](r, body)
	if err != nil {
		return api.ModePreview{}, err
	}
	return c.Modes.PreviewMode(r.Context(), r.PathValue("domain"), ask)
}

func (c *console) modeHistory(r *http.Request) (api.Page[directory.ModeChange], error) {
	after, most, err := pageAsked(r)
	var before int64
	if err == nil && after != "" {
		if before, err = strconv.ParseInt(after, 10, 64); err != nil {
			err = bad("%q is no cursor of this list: give `next` of the page before, or leave `after` out.", r.URL.Query().Get("after"))
		}
	}
	if err != nil {
		return api.Page[directory.ModeChange]{}, err
	}
	all, err := c.Modes.ModeHistory(r.Context(), r.URL.Query().Get("domain"), before, most)
	return pageOf(all, most, func(c directory.ModeChange) string { return strconv.FormatInt(c.ID, 10) }), err
}

// pathOf is the domain's path before a change; "" when it can't be told, which the change itself will report.
func (c *console) pathOf(r *http.Request, domain string) string {
	mode, err := c.Modes.Mode(r.Context(), domain)
	if err != nil {
		return ""
	}
	return inShort(mode)
}

// inShort is a mode as the audit log has it: the path, and the identity provider when there is one.
func inShort(m api.Mode) string { return strings.TrimSpace(string(m.Path) + " " + m.IdP) }
