#Requires -Version 5.1
#Requires -RunAsAdministrator
<#
.SYNOPSIS
  Installs or upgrades vb365-exporter as a Windows service. Never run on Windows so far.
.PARAMETER Url
  URL of the VB365 server for a new configuration, such as https://vb365.example.com:4443.
.PARAMETER Username
  Account of the VB365 server for a new configuration.
.PARAMETER Password
  Its password; asked for at the first installation if absent.
.PARAMETER ScrapeFrom
  Addresses that may read the metrics; the default is the local subnet.
.PARAMETER NoFirewallRule
  Leaves the firewall as it is.
#>
[CmdletBinding()]
param(
    [string] $Url,
    [string] $Username,
    [securestring] $Password,
    [string[]] $ScrapeFrom = @('LocalSubnet'),
    [switch] $NoFirewallRule
)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

$serviceName = 'vb365-exporter'
$program = Join-Path -Path $Env:ProgramFiles -ChildPath $serviceName
$data = Join-Path -Path $Env:ProgramData -ChildPath $serviceName
$config = Join-Path -Path $data -ChildPath 'vb365-exporter.yaml'
$secret = Join-Path -Path $data -ChildPath 'secrets\hq.txt'
$hostProgram = Join-Path -Path $program -ChildPath 'vb365-exporter-service.exe'

function Invoke-Program {
    param([string] $FilePath, [string[]] $ArgumentList)
    & $FilePath @ArgumentList
    if ($LASTEXITCODE -ne 0) { throw "Could not run $FilePath ${ArgumentList}: exit code $LASTEXITCODE" }
}

# An upgrade replaces files that a running service holds open.
$existing = Get-Service -Name $serviceName -ErrorAction SilentlyContinue
if ($null -ne $existing -and $existing.Status -ne 'Stopped') {
    Stop-Service -Name $serviceName
    $existing.WaitForStatus('Stopped', [timespan]::FromSeconds(30))
}

if (Test-Path -LiteralPath (Join-Path -Path $program -ChildPath 'dist')) {
    Remove-Item -LiteralPath (Join-Path -Path $program -ChildPath 'dist') -Recurse -Force
}
New-Item -ItemType Directory -Force -Path $program | Out-Null
Copy-Item -Path (Join-Path -Path $PSScriptRoot -ChildPath '*') -Destination $program -Recurse -Force
foreach ($folder in @($data, "$data\secrets", "$data\state", "$data\logs")) {
    New-Item -ItemType Directory -Force -Path $folder | Out-Null
}

# The service must exist before its virtual account can get rights.
if ($null -eq $existing) { Invoke-Program -FilePath $hostProgram -ArgumentList @('install') }

# Administrators (S-1-5-32-544) and SYSTEM (S-1-5-18) may do everything, the service may read and write its state and logs.
$account = "NT SERVICE\$serviceName"
Invoke-Program -FilePath 'icacls.exe' -ArgumentList @(
    $data, '/inheritance:r', '/grant:r', '*S-1-5-32-544:(OI)(CI)F', '/grant:r', '*S-1-5-18:(OI)(CI)F', '/grant:r', "${account}:(OI)(CI)RX"
)
foreach ($folder in @('state', 'logs')) {
    Invoke-Program -FilePath 'icacls.exe' -ArgumentList @("$data\$folder", '/grant', "${account}:(OI)(CI)M")
}

if (-not (Test-Path -LiteralPath $config)) {
    $text = [System.IO.File]::ReadAllText((Join-Path -Path $PSScriptRoot -ChildPath 'vb365-exporter.yaml'))
    if ($Url) { $text = $text.Replace('https://vb365.example.com:4443', $Url) }
    if ($Username) { $text = $text.Replace('EXAMPLE\svc-monitor', "'" + $Username.Replace("'", "''") + "'") }
    [System.IO.File]::WriteAllText($config, $text)
}
if ($Password -or -not (Test-Path -LiteralPath $secret)) {
    if (-not $Password) { $Password = Read-Host -AsSecureString -Prompt 'Password of the VB365 account' }
    $plain = (New-Object -TypeName System.Net.NetworkCredential -ArgumentList '', $Password).Password
    [System.IO.File]::WriteAllText($secret, $plain)
}

if (-not $NoFirewallRule -and $null -eq (Get-NetFirewallRule -Name $serviceName -ErrorAction SilentlyContinue)) {
    $rule = @{
        Name          = $serviceName
        DisplayName   = 'VB365 exporter (metrics)'
        Direction     = 'Inbound'
        Action        = 'Allow'
        Protocol      = 'TCP'
        LocalPort     = 10365
        Program       = Join-Path -Path $program -ChildPath 'node.exe'
        RemoteAddress = $ScrapeFrom
    }
    New-NetFirewallRule @rule | Out-Null
}

Invoke-Program -FilePath (Join-Path -Path $program -ChildPath 'vb365-exporter.cmd') -ArgumentList @('check', '--config.file', $config)
Start-Service -Name $serviceName
Write-Output "vb365-exporter runs. Metrics: http://localhost:10365/metrics. Configuration: $config"
