# Runs the scripts of credential_guard in Windows PowerShell 5.1 against a key under HKCU, on a machine that may be changed.
$ErrorActionPreference = 'Stop'
if ($PSVersionTable.PSVersion.Major -ne 5) { throw 'This is for Windows PowerShell 5.1.' }
$root = 'HKCU:\Software\CredentialGuardTry'
Remove-Item -LiteralPath $root -Recurse -ErrorAction SilentlyContinue
foreach ($name in @('apply', 'audit')) {
    python -m stacks credential_guard script $name --root $root | Set-Content -LiteralPath "$name.ps1" -Encoding UTF8
    $errors = $null
    $null = [System.Management.Automation.Language.Parser]::ParseFile((Resolve-Path "$name.ps1"), [ref]$null, [ref]$errors)
    if ($errors.Count -gt 0) { throw "$name.ps1: $errors" }
}
$lsa = "$root\SYSTEM\CurrentControlSet\Control\Lsa"
$null = New-Item -Path $lsa -Force
$null = New-ItemProperty -LiteralPath $lsa -Name 'LsaCfgFlags' -Value '2' -PropertyType String
$null = New-ItemProperty -LiteralPath $lsa -Name 'Kept' -Value 7 -PropertyType DWord

& powershell.exe -NonInteractive -NoProfile -ExecutionPolicy Unrestricted -File apply.ps1
if ($LASTEXITCODE -ne 3010) { throw "The first run ended with $LASTEXITCODE, must be 3010." }
$key = Get-Item -LiteralPath $lsa
if ([string]$key.GetValueKind('LsaCfgFlags') -ne 'DWord') { throw 'LsaCfgFlags is no DWord.' }
if ($key.GetValue('LsaCfgFlags') -ne 2) { throw 'LsaCfgFlags is not 2.' }
if ($key.GetValue('Kept', $null) -ne 7) { throw 'The key was wiped.' }
& powershell.exe -NonInteractive -NoProfile -ExecutionPolicy Unrestricted -File apply.ps1
if ($LASTEXITCODE -ne 3010) { throw "Without a reboot the second run ended with $LASTEXITCODE, must be 3010." }
& powershell.exe -NonInteractive -NoProfile -ExecutionPolicy Unrestricted -File apply.ps1
if ($LASTEXITCODE -ne 1) { throw "The third run ended with $LASTEXITCODE, must be 1: two reboots at most." }
& powershell.exe -NonInteractive -NoProfile -ExecutionPolicy Unrestricted -File apply.ps1
if ($LASTEXITCODE -ne 0) { throw "The fourth run ended with $LASTEXITCODE, must be 0: it has given up once." }
Set-Content -LiteralPath (Join-Path $env:ProgramFiles 'credential-guard\state.json') -Value '{ "insta' -Encoding UTF8
& powershell.exe -NonInteractive -NoProfile -ExecutionPolicy Unrestricted -File apply.ps1
if ($LASTEXITCODE -ne 0) { throw "With a broken file the run ended with $LASTEXITCODE, must be 0." }

# The audit says what it has found before it reports; a runner has no AWS Tools, no instance and nothing to report to.
$said = @(& powershell.exe -NonInteractive -NoProfile -ExecutionPolicy Unrestricted -File audit.ps1)
if ($LASTEXITCODE -ne 1) { throw "The audit ended with $LASTEXITCODE, must be 1." }
if (-not ($said -match '^Credential Guard: (not running|unknown|running);')) { throw "The audit says: $said" }
exit 0
