<?php
$metadata['{{.EntityID}}'] = [
  'host' => '__DEFAULT__',
  'auth' => 'people',
  'privatekey' => 'key.pem',
  'certificate' => 'cert.pem',
  'signature.algorithm' => 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  'saml20.sign.assertion' => true,
  'attributes.NameFormat' => 'urn:oasis:names:tc:SAML:2.0:attrname-format:uri',
  'NameIDFormat' => ['urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'],
  'authproc' => [
    // What Microsoft 365 asks of a SAML 2.0 identity provider: the ImmutableID as persistent NameID.
    10 => [
      'class' => 'saml:AttributeNameID',
      'attribute' => 'anchor',
      'Format' => 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
    ],
  ],
];
