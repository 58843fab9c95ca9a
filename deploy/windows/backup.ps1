<#
.SYNOPSIS
  One checked backup of local-telemetry. Windows has no control socket, so the service is stopped meanwhile.
.DESCRIPTION
  Agents with our client keep what they record, and deliver it when the service is back. Exit code 0 if the backup is made.
.EXAMPLE
  .\backup.ps1 -Folder D:\Backups\local-telemetry -Keep 14
#>
param(
  [Parameter(Mandatory = $true)][string] $Folder,
  [ValidateRange(1, 1000000)][int] $Keep = 14,
  [string] $BaseDir = "$env:ProgramData\local-telemetry",
  [string] $Program = "$env:ProgramFiles\local-telemetry\node_modules\local-telemetry\bin\local-telemetry.cjs",
  [string] $Node = "$env:ProgramFiles\nodejs\node.exe"
)
$ErrorActionPreference = 'Stop'
$env:TELEMETRY_BASE_DIR = $BaseDir
$code = 1
$service = Get-Service LocalTelemetry
$wasRunning = $service.Status -eq 'Running'
try {
  if ($wasRunning) { Stop-Service LocalTelemetry }
  & $Node $Program backup $Folder --keep $Keep
  $code = $LASTEXITCODE
} finally {
  # One that somebody had stopped stays stopped.
  if ($wasRunning) { Start-Service LocalTelemetry }
}
exit $code
