#Requires -Version 5.1
#Requires -RunAsAdministrator
<#
.SYNOPSIS
  Removes the service vb365-exporter and its program. Never run on Windows so far.
.PARAMETER Purge
  Also deletes configuration, secrets, state and logs.
#>
[CmdletBinding(SupportsShouldProcess)]
param([switch] $Purge)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

$serviceName = 'vb365-exporter'
$program = Join-Path -Path $Env:ProgramFiles -ChildPath $serviceName
$data = Join-Path -Path $Env:ProgramData -ChildPath $serviceName
$hostProgram = Join-Path -Path $program -ChildPath 'vb365-exporter-service.exe'

if (-not $PSCmdlet.ShouldProcess($serviceName, 'Remove the service')) { return }

$existing = Get-Service -Name $serviceName -ErrorAction SilentlyContinue
if ($null -ne $existing) {
    if ($existing.Status -ne 'Stopped') {
        Stop-Service -Name $serviceName
        $existing.WaitForStatus('Stopped', [timespan]::FromSeconds(30))
    }
    & $hostProgram uninstall
    if ($LASTEXITCODE -ne 0) { throw "Could not remove the service: exit code $LASTEXITCODE" }
}
Get-NetFirewallRule -Name $serviceName -ErrorAction SilentlyContinue | Remove-NetFirewallRule
if (Test-Path -LiteralPath $program) { Remove-Item -LiteralPath $program -Recurse -Force }
if ($Purge -and (Test-Path -LiteralPath $data)) { Remove-Item -LiteralPath $data -Recurse -Force }
Write-Output 'vb365-exporter is removed.'
