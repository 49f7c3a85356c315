// panva's oidc-provider with a login form of its own. The settings come as JSON on stdin:
// {issuer, host, port, clientId, clientSecret, redirectURI, people: [{Name, Password, UPN, Anchor}]}
import { createServer } from 'node:http';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { text } from 'node:stream/consumers';
import Provider from 'oidc-provider';

const settings = JSON.parse(await text(process.stdin));
const people = new Map(settings.people.map((person) => [person.Name, person]));
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

const account = (person) => ({
  accountId: person.Anchor,
  claims: async () => ({
    sub: person.Anchor,
    upn: person.UPN,
    preferred_username: person.UPN,
    email: person.UPN,
    email_verified: true,
    name: person.Name,
  }),
});

const provider = new Provider(settings.issuer, {
  clients: [{
    client_id: settings.clientId,
    client_secret: settings.clientSecret,
    redirect_uris: [settings.redirectURI],
    grant_types: ['authorization_code'],
    response_types: ['code'],
  }],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'realtest' }] },
  cookies: { keys: [randomBytes(16).toString('hex')] },
  pkce: { required: () => true },
  claims: { openid: ['sub'], profile: ['name', 'preferred_username', 'upn'], email: ['email', 'email_verified'] },
  conformIdTokenClaims: false,
  features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: true } },
  findAccount: (_ctx, id) => {
    const person = settings.people.find((p) => p.Anchor === id);
    return person && account(person);
  },
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  // No page asks for consent: the client gets what it asked for.
  loadExistingGrant: async ({ oidc }) => {
    const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope('openid profile email');
    await grant.save();
    return grant;
  },
});

const form = (action, complaint) => `<!doctype html><title>Sign in</title><p>${complaint}</p>
<form method="post" action="${action}">
<input name="username" type="text"><input name="password" type="password"><button>Sign in</button>
</form>`;

const interact = async (req, res) => {
  const { uid } = await provider.interactionDetails(req, res);
  let complaint = '';
  if (req.method === 'POST') {
    const typed = new URLSearchParams(await text(req));
    const person = people.get(typed.get('username'));
    if (person && person.Password === typed.get('password')) {
      const login = { accountId: person.Anchor, amr: ['pwd'] };
      return provider.interactionFinished(req, res, { login }, { mergeWithLastSubmission: false });
    }
    res.statusCode = 401;
    complaint = 'Name or password is wrong.';
  }
  res.setHeader('content-type', 'text/html; charset=utf-8');
  return res.end(form(`/interaction/${uid}`, complaint));
};

const callback = provider.callback();
createServer((req, res) => {
  if (!req.url.startsWith('/interaction/')) return callback(req, res);
  return interact(req, res).catch((err) => { res.statusCode = 400; res.end(String(err)); });
}).listen(settings.port, settings.host);
