<?php
$config = [
  'people' => [
    'exampleauth:UserPass',
{{- range .People}}
    '{{.Name}}:{{.Password}}' => [
      'uid' => ['{{.Name}}'],
      'anchor' => ['{{.Anchor}}'],
      'IDPEmail' => ['{{.UPN}}'],
      'http://schemas.xmlsoap.org/claims/UPN' => ['{{.UPN}}'],
    ],
{{- end}}
  ],
];
