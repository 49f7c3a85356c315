<?php
// Debian's defaults, with what an identity provider on loopback and plain http needs.
require '/usr/share/simplesamlphp/config/config.php';
$folder = '{{.Folder}}/';
$config = array_merge($config, [
  'baseurlpath' => '{{.URL}}/',
  'certdir' => $folder . 'cert/',
  'datadir' => $folder . 'data/',
  'loggingdir' => $folder . 'log/',
  'metadatadir' => $folder . 'metadata/',
  'tempdir' => $folder . 'tmp/',
  'session.phpsession.savepath' => $folder . 'tmp/',
  'secretsalt' => '{{.Salt}}',
  'auth.adminpassword' => '{{.Salt}}',
  'logging.handler' => 'file',
  'enable.saml20-idp' => true,
  'module.enable' => ['core' => true, 'saml' => true, 'exampleauth' => true],
  'session.cookie.secure' => false,
  'session.cookie.samesite' => null,
  'language.cookie.secure' => false,
  'language.cookie.samesite' => null,
  'store.type' => 'phpsession',
  'metadata.sources' => [
    ['type' => 'flatfile', 'directory' => $folder . 'metadata'],
    ['type' => 'xml', 'file' => $folder . 'sp-metadata.xml'],
  ],
  'admin.checkforupdates' => false,
]);
