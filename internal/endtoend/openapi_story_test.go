package endtoend_test

import "slices"

// call is one request of a story, in order. ${x} in path, body or match is what an earlier call kept under that name.
type call struct {
	method, path, body string // path: under /api/v1
	keep               string // "name=field of the answer" (items.0.id reaches into it), or "name=ETag"
	match              string // If-Match
	status             int    // 0: 200
}

// story is what an operator does in an hour: make, read, change, drop. Every call that the console documents stands in
// one of its parts.
func story() []call {
	return slices.Concat(
		callsOfBooks(), callsOfUsers(), callsOfGroups(), callsOfLicences(), callsOfDomains(), callsOfPremises(), callsOfLab(),
	)
}

func callsOfBooks() []call {
	return []call{
		{method: "GET", path: "/config"},
		{method: "POST", path: "/config"},
		{method: "GET", path: "/doctor"},
		{method: "POST", path: "/tokens", body: `{"name":"dashboard","role":"reader","valid":"1h"}`, keep: "token=id", status: 201},
		{method: "GET", path: "/tokens"},
		{method: "DELETE", path: "/tokens/${token}"},
		{method: "GET", path: "/audit?limit=1", keep: "cursor=next"},
		{method: "GET", path: "/audit?after=${cursor}"},
		{method: "GET", path: "/signins?limit=1", keep: "trace=items.0.correlationId"},
		{method: "GET", path: "/traces/${trace}"},
	}
}

func callsOfUsers() []call {
	return []call{
		{method: "GET", path: "/users?domain=cloud.example.test&limit=2"},
		{method: "POST", path: "/users", body: `{"userPrincipalName":"nora@cloud.example.test","displayName":"Nora","password":"Harbour-7-lantern"}`, keep: "nora=id", status: 201},
		{method: "GET", path: "/users/nora@cloud.example.test", keep: "version=ETag"},
		{method: "PATCH", path: "/users/nora@cloud.example.test", match: "${version}", body: `{"department":"Quay"}`},
		{method: "PATCH", path: "/users/nora@cloud.example.test", match: "${version}", body: `{"department":"Office"}`, status: 409},
		{method: "PUT", path: "/users/nora@cloud.example.test/password", body: `{"password":"Quay-8-lantern"}`},
		{method: "DELETE", path: "/users/nora@cloud.example.test/lock"},
		{method: "DELETE", path: "/users/nora@cloud.example.test/sessions"},
		{method: "DELETE", path: "/users/nora@cloud.example.test"},
		{method: "GET", path: "/deleted-users"},
		{method: "POST", path: "/deleted-users/${nora}/restore", body: `{}`},
		{method: "POST", path: "/users/import", body: `{"rows":[{"line":1,"userPrincipalName":"otto@cloud.example.test","displayName":"Otto","password":"Quay-9-lantern"}]}`},
		{method: "POST", path: "/leaked", body: `{"pairs":[{"line":1,"user":"otto@cloud.example.test","password":"Quay-9-lantern"}],"flag":true}`},
	}
}

func callsOfGroups() []call {
	return []call{
		{method: "POST", path: "/groups", body: `{"displayName":"Dockers","description":"They load"}`, status: 201},
		{method: "POST", path: "/groups", body: `{"displayName":"Winchmen"}`, keep: "winchmen=id", status: 201},
		{method: "GET", path: "/groups?prefix=Dock&limit=1", keep: "groups=next"},
		{method: "GET", path: "/groups?prefix=Dock&after=${groups}"},
		{method: "GET", path: "/groups/Dockers", keep: "dockers=ETag"},
		{method: "PATCH", path: "/groups/Dockers", match: "${dockers}", body: `{"description":"They load and unload"}`},
		{method: "PATCH", path: "/groups/Dockers", match: "${dockers}", body: `{"description":"They rest"}`, status: 409},
		{method: "POST", path: "/contacts", body: `{"mail":"pilot@tug.example","displayName":"Tug pilot"}`, status: 201},
		{method: "GET", path: "/contacts?prefix=Tug"},
		{method: "GET", path: "/contacts/pilot@tug.example", keep: "pilot=ETag"},
		{method: "PATCH", path: "/contacts/pilot@tug.example", match: "${pilot}", body: `{"displayName":"Pilot of the tug"}`},
		{method: "PATCH", path: "/contacts/pilot@tug.example", match: "${pilot}", body: `{"displayName":"Pilot"}`, status: 409},
		{method: "POST", path: "/groups/Dockers/members", body: `{"users":["alice@phs.example.test"],"groups":["${winchmen}"],"contacts":["pilot@tug.example"]}`},
		{method: "POST", path: "/groups/Winchmen/members", body: `{"groups":["Dockers"]}`, status: 409},
		{method: "GET", path: "/groups/Dockers/members?transitive=true&limit=2", keep: "members=next"},
		{method: "GET", path: "/groups/Dockers/members?transitive=true&after=${members}"},
		{method: "POST", path: "/groups/Dockers/members/remove", body: `{"users":["alice@phs.example.test"]}`},
		{method: "DELETE", path: "/contacts/pilot@tug.example"},
		{method: "DELETE", path: "/groups/Dockers?sure=true"},
		{method: "DELETE", path: "/groups/${winchmen}"},
	}
}

func callsOfLicences() []call {
	return []call{
		{method: "POST", path: "/plans", body: `{"id":"tug","displayName":"Tug","seats":3,"services":["harbour-mail"]}`, status: 201},
		{method: "GET", path: "/plans"},
		{method: "GET", path: "/plans/tug", keep: "plan=ETag"},
		{method: "PATCH", path: "/plans/tug", match: "${plan}", body: `{"seats":5}`},
		{method: "PATCH", path: "/plans/tug", match: "${plan}", body: `{"seats":4}`, status: 409},
		{method: "PUT", path: "/plans/tug/users/alice@phs.example.test"},
		{method: "GET", path: "/licenses?plan=tug"},
		{method: "DELETE", path: "/plans/tug/users/alice@phs.example.test"},
		{method: "PUT", path: "/plans/tug/groups/Pilot"},
		{method: "DELETE", path: "/plans/tug/groups/Pilot"},
		{method: "DELETE", path: "/plans/tug"},
		{method: "POST", path: "/apps", body: `{"id":"crane","displayName":"Crane","assignmentRequired":true,"roles":["driver"]}`, status: 201},
		{method: "GET", path: "/apps"},
		{method: "GET", path: "/apps/crane", keep: "app=ETag"},
		{method: "PATCH", path: "/apps/crane", match: "${app}", body: `{"displayName":"Crane 2"}`},
		{method: "POST", path: "/apps/crane/assignments", body: `{"user":"alice@phs.example.test","role":"driver"}`, status: 201},
		{method: "DELETE", path: "/apps/crane/assignments?user=alice@phs.example.test&role=driver"},
		{method: "DELETE", path: "/apps/crane"},
	}
}

func callsOfDomains() []call {
	return []call{
		{method: "GET", path: "/mode"},
		{method: "GET", path: "/mode/pta.example.test", keep: "mode=ETag"},
		{method: "POST", path: "/mode/pta.example.test/preview", body: `{"path":"phs"}`},
		{method: "PUT", path: "/mode/pta.example.test", match: "${mode}", body: `{"path":"phs","reason":"a drill"}`},
		{method: "PUT", path: "/mode/pta.example.test", match: "${mode}", body: `{"path":"cloud"}`, status: 409},
		{method: "POST", path: "/mode/pta.example.test/undo"},
		{method: "DELETE", path: "/mode/pta.example.test"},
		{method: "GET", path: "/mode-changes?domain=pta.example.test&limit=1", keep: "changes=next"},
		{method: "GET", path: "/mode-changes?after=${changes}"},
		{method: "POST", path: "/domains", body: `{"name":"tug.example.test"}`, status: 201},
		{method: "GET", path: "/domains"},
		{method: "POST", path: "/domains/tug.example.test/verify", body: `{"vouch":true}`},
		{method: "GET", path: "/domains/tug.example.test", keep: "domain=ETag"},
		{method: "PATCH", path: "/domains/tug.example.test", match: "${domain}", body: `{"passwordExpiry":"90d"}`},
		{method: "PATCH", path: "/domains/tug.example.test", match: "${domain}", body: `{"passwordExpiry":"none"}`, status: 409},
		{method: "DELETE", path: "/domains/tug.example.test"},
		{method: "GET", path: "/rollouts"},
		{method: "PUT", path: "/rollouts/Pilot", body: `{"path":"pta"}`},
		{method: "DELETE", path: "/rollouts/Pilot"},
	}
}

func callsOfPremises() []call {
	return []call{
		{method: "GET", path: "/sync"},
		{method: "POST", path: "/sync", body: `{}`},
		{method: "POST", path: "/sync/preview", body: `{"full":true}`},
		{method: "GET", path: "/sync/explain?name=nick@phs.example.test"},
		{method: "GET", path: "/sync/errors"},
		{method: "GET", path: "/sync/history"},
		{method: "POST", path: "/sync/resume"},
		{method: "POST", path: "/sync/pause"},
		{method: "POST", path: "/agents", body: `{"name":"spare","roles":["pta"]}`, status: 201},
		{method: "GET", path: "/agents", keep: "agent=items.0.id"},
	}
}

// callsOfLab ends with what takes the world away: the agent last of all.
func callsOfLab() []call {
	return []call{
		{method: "GET", path: "/onprem/users"},
		{method: "POST", path: "/onprem/users/alice@pta.example.test", body: `{"do":"disable"}`},
		{method: "GET", path: "/faults"},
		{method: "PUT", path: "/faults/dc-slow", body: `{"param":"10ms","for":"1m"}`},
		{method: "DELETE", path: "/faults/dc-slow"},
		{method: "DELETE", path: "/faults"},
		{method: "GET", path: "/clock"},
		{method: "POST", path: "/clock", body: `{"advance":"1m"}`},
		{method: "DELETE", path: "/clock"},
		{method: "PUT", path: "/snapshots/before", status: 201},
		{method: "GET", path: "/snapshots"},
		{method: "POST", path: "/snapshots/before"},
		{method: "GET", path: "/scenarios", keep: "scenario=items.0.name"},
		{method: "POST", path: "/scenarios/${scenario}"},
		{method: "GET", path: "/matrix", status: 404},
		{method: "POST", path: "/matrix", body: `{}`},
		{method: "GET", path: "/matrix"},
		{method: "POST", path: "/reset"},
		{method: "DELETE", path: "/agents/${agent}"},
	}
}
