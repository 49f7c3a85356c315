package fault

import "slices"

// Units of a parameter.
const (
	Duration = "duration" // as Go writes it: 500ms, 2s, 5m
	Count    = "count"    // a whole number
)

// What a scope may name.
const (
	AimUser   = "user"
	AimDomain = "domain"
	AimAgent  = "agent"
	AimPath   = "path"
)

// Kind is one thing that can be broken.
type Kind struct {
	Name    string
	Hop     string   // what it breaks: agent, directory, network, sync, idp or store
	Summary string   // one sentence
	Unit    string   // of the parameter: Duration, Count, or "" when it takes none
	Default string   // of the parameter
	Aims    []string // what a scope may name
	Whole   bool     // it breaks no single message, so it takes neither a rate nor a number
	agents  bool     // aimed at an agent, it breaks all of it
	Shows   string   // what a sign-in then says
}

// Kinds are all of them, in the order in which a sign-in meets the hops.
func Kinds() []Kind {
	return slices.Concat(storeKinds(), agentKinds(), directoryKinds(), idpKinds(), syncKinds())
}

// Find gives the kind of that name.
func Find(name string) (Kind, bool) {
	for _, k := range Kinds() {
		if k.Name == name {
			return k, true
		}
	}
	return Kind{}, false
}

func storeKinds() []Kind {
	person := []string{AimUser, AimDomain}
	return []Kind{
		{
			Name: "store-slow", Hop: "store", Unit: Duration, Default: "2s", Aims: person,
			Summary: "The gateway's store answers only after a while, as a failing disk does.",
			Shows:   "every path: the same answer, later; 503 when the wait outlasts the sign-in's deadline",
		},
		{
			Name: "store-down", Hop: "store", Aims: person,
			Summary: "The gateway's store can be neither read nor written.",
			Shows:   "every path: 50000 internal (503), and nobody is let in",
		},
		{
			Name: "hash-pool-small", Hop: "store", Unit: Count, Default: "1", Aims: []string{AimPath}, Whole: true,
			Summary: "Only so many workers are left to verify passwords with; the parameter is how many, for each path.",
			Shows:   "cloud, phs: the same answer, later under load; 90055 overloaded when the queue is full",
		},
		{
			Name: "hash-missing", Hop: "store", Aims: []string{AimUser, AimDomain, AimPath},
			Summary: "The stored password hash can't be found.",
			Shows:   "cloud, phs: 50056 no_password_hash, which counts as a wrong guess: ten lock the account, also when it is mended",
		},
	}
}

func agentKinds() []Kind {
	aims := []string{AimUser, AimDomain, AimAgent}
	return []Kind{
		{
			Name: "agent-down", Hop: "agent", Aims: aims, agents: true,
			Summary: "The agent's connection to the gateway is cut.",
			Shows:   "pta: 80001 no_agent; with a scope, a rate or a number 80005 agent_error for whoever is under way, and 80001 for all until it dials in again (0.1 s)",
		},
		{
			Name: "agent-hang", Hop: "agent", Aims: aims,
			Summary: "The agent takes a request and never answers.",
			Shows:   "pta: 80002 agent_timeout",
		},
		{
			Name: "agent-late", Hop: "agent", Unit: Duration, Default: "1m", Aims: aims,
			Summary: "A request reaches the agent only after a while.",
			Shows:   "pta: 80014 agent_late when the wait outlasts the deadline, else the same answer, later",
		},
		{
			Name: "agent-bad-key", Hop: "agent", Aims: aims,
			Summary: "The agent no longer holds the key that passwords are sealed to.",
			Shows:   "pta: 80010 agent_decrypt",
		},
		{
			Name: "agent-clock-skew", Hop: "agent", Unit: Duration, Default: "10m", Aims: aims, agents: true,
			Summary: "The agent's clock is ahead.",
			Shows:   "pta: 80013 time_skew",
		},
	}
}

func directoryKinds() []Kind {
	person := []string{AimUser, AimDomain}
	return []Kind{
		{
			Name: "network-partition", Hop: "network", Aims: []string{AimUser, AimDomain, AimAgent}, agents: true,
			Summary: "The premises are cut off: what the agent and the IdP send there stalls, and nothing is said.",
			Shows:   "pta: 80002 agent_timeout, then 80001 no_agent; federated: interrupted at the IdP; cloud and phs go on",
		},
		{
			Name: "dc-down", Hop: "directory", Aims: person,
			Summary: "The domain controller takes no connection.",
			Shows:   "pta: 80007 ad_unreachable; federated: interrupted at the IdP; cloud and phs go on",
		},
		{
			Name: "dc-slow", Hop: "directory", Unit: Duration, Default: "30s", Aims: person,
			Summary: "The domain controller answers only after a while.",
			Shows:   "pta: 80002 agent_timeout when the wait outlasts the deadline, federated: interrupted at the IdP, else the same answer, later",
		},
		{
			Name: "dc-tls-bad", Hop: "directory", Aims: nil,
			Summary: "The domain controller shows a certificate that nobody trusts.",
			Shows:   "pta: 80007 ad_unreachable; federated: interrupted at the IdP; cloud and phs go on",
		},
	}
}

func idpKinds() []Kind {
	person := []string{AimUser, AimDomain}
	kind := func(name, summary, shows string) Kind {
		return Kind{Name: name, Hop: "idp", Summary: summary, Aims: person, Shows: "federated: " + shows}
	}
	slow := kind("idp-slow", "Harbour ID answers only after a while.", "the same answer, later")
	slow.Unit, slow.Default = Duration, "5s"
	return []Kind{
		kind("idp-down", "Harbour ID takes no connection.", "interrupted at the IdP"),
		slow,
		kind("idp-wrong-signature", "Harbour ID signs with a key that the gateway was never told of.", "50006 signature_invalid"),
		kind("idp-expired-assertion", "Harbour ID's assertions have run out when they arrive.", "500133 assertion_time"),
		kind("idp-wrong-audience", "Harbour ID's assertions are meant for another service.", "50010 audience_mismatch"),
		kind("idp-replay", "Harbour ID sends an assertion that was used already.", "50013 replay or state_mismatch, from a person's second sign-in on"),
		kind("idp-wrong-subject", "Harbour ID's assertions name somebody else.", "51004 subject_unknown or 90072 immutable_id_mismatch"),
		kind("idp-cert-rotated", "Harbour ID has a new signing certificate, and the gateway still has the old metadata.", "saml: 50006 signature_invalid; oidc goes on, since it fetches the keys anew"),
	}
}

func syncKinds() []Kind {
	return []Kind{
		{
			Name: "sync-paused", Hop: "sync", Aims: []string{AimAgent},
			Summary: "Synchronisation runs are held up, and go on when it is cleared.",
			Shows:   "phs: what the last run brought goes on counting",
		},
		{
			Name: "sync-empty-result", Hop: "sync", Aims: []string{AimAgent},
			Summary: "The directory search succeeds and finds nobody.",
			Shows:   "`sync run` is refused by the guard; sign-ins go on",
		},
		{
			Name: "sync-mass-delete", Hop: "sync", Unit: Count, Default: "501", Aims: []string{AimUser, AimDomain},
			Summary: "So many people are missing from what the directory search finds.",
			Shows:   "`sync run` is refused by the guard when they are more than it allows, else they are deleted",
		},
		{
			Name: "sync-bad-object", Hop: "sync", Unit: Count, Default: "1", Aims: []string{AimUser, AimDomain},
			Summary: "So many objects of the directory search can't be understood.",
			Shows:   "`sync run` reports the objects; everybody else is synchronised",
		},
	}
}
