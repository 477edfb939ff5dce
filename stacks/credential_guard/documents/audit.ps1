# Reports to Compliance whether Credential Guard runs, or why not. It changes nothing and never reboots.
function Get-LastEvent($Wanted) {
    # The newest event of this boot; null: none. The first events may precede the boot time that Windows reports.
    $since = (Get-BootTime).AddMinutes(-5).ToLocalTime()
    $filter = @{ LogName = $Wanted.log; ProviderName = $Wanted.provider; Id = $Wanted.id; StartTime = $since }
    try {
        Get-WinEvent -FilterHashtable $filter -MaxEvents 1
    } catch {
        $null
    }
}

function Get-EventText($LoggedEvent) {
    # The values of an event, which do not depend on the language.
    if ($null -eq $LoggedEvent) {
        return 'none'
    }
    @($LoggedEvent.Properties | ForEach-Object -Process { $_.Value }) -join ', '
}

function Get-SecureBoot {
    try {
        if (Confirm-SecureBootUEFI) { 'on' } else { 'off' }
    } catch [System.PlatformNotSupportedException] {
        'legacy'
    } catch {
        'unknown'
    }
}

function Get-LaunchTypes {
    # hypervisorlaunchtype and vsmlaunchtype of the boot entry, where they are set.
    $printed = @(& bcdedit.exe /enum '{current}')
    if ($LASTEXITCODE -ne 0) {
        return 'unknown'
    }
    @($printed | Where-Object -FilterScript { $_ -match '^(hypervisor|vsm)launchtype\s' }) -join '; '
}

function Test-Contains($Values, $Wanted) {
    # The values may be an array, one number or nothing: Win32_DeviceGuard returns all three.
    @($Values | Where-Object -FilterScript { $null -ne $_ } | ForEach-Object -Process { [int]$_ }) -contains $Wanted
}

$deviceGuard = Get-DeviceGuard
$state = Get-State
$hostFacts = Get-HostFacts
$launch = Get-LaunchTypes
$started = Get-LastEvent -Wanted $tables.events.started
$configuration = Get-LastEvent -Wanted $tables.events.configuration
$key = Get-LastEvent -Wanted $tables.events.masterKey
$lock = 'unknown'
if (($null -ne $configuration) -and ($configuration.Properties.Count -gt 0)) {
    $lock = ([string]$configuration.Properties[0].Value) -replace '^0x', ''
}
$failure = 'none'
foreach ($bad in @($tables.events.unreadable, $tables.events.failed, $tables.events.notRunning)) {
    if ($null -ne (Get-LastEvent -Wanted $bad)) {
        $failure = [string]$bad.id
    }
}
$logged = 'no'
if ($null -ne $started) {
    $logged = 'yes'
}
$actions = @($tables.values | ForEach-Object -Process { Get-RowAction -Row $_ })
$missing = @($actions | Where-Object -FilterScript { $_.do -eq 'write' })
$values = 'there'
if ($missing.Count -gt 0) {
    $values = 'missing'
}
$off = 'on'
if ($launch -match 'launchtype\s+off') {
    $off = 'off'
}

$facts = @{
    deviceGuard = 'missing'
    vbs = 'unknown'
    credentialGuard = 'false'
    memoryIntegrity = 'false'
    dmaOffered = 'unknown'
    dmaRequired = Get-Text -Condition $tables.dmaRequired
    lockAsked = Get-Text -Condition $tables.lockAsked
    lock = $lock
    domainController = $hostFacts.domainController
    policy = $hostFacts.policy
    secureBoot = Get-SecureBoot
    launch = $off
    values = $values
    pending = Get-Text -Condition ($state.writtenAt -gt (Get-BootTime).Ticks)
    event = $failure
}
$available = 'unknown'
$configured = 'unknown'
if ($null -ne $deviceGuard) {
    $facts.deviceGuard = 'there'
    $facts.vbs = [string]$deviceGuard.VirtualizationBasedSecurityStatus
    $facts.credentialGuard = Get-Text -Condition (Test-Contains -Values $deviceGuard.SecurityServicesRunning -Wanted 1)
    $facts.memoryIntegrity = Get-Text -Condition (Test-Contains -Values $deviceGuard.SecurityServicesRunning -Wanted 2)
    # Group policy may require it where the settings do not.
    $required = Test-Contains -Values $deviceGuard.RequiredSecurityProperties -Wanted 3
    $facts.dmaRequired = Get-Text -Condition ($tables.dmaRequired -or $required)
    $facts.dmaOffered = Get-Text -Condition (Test-Contains -Values $deviceGuard.AvailableSecurityProperties -Wanted 3)
    $available = @($deviceGuard.AvailableSecurityProperties) -join ','
    $configured = @($deviceGuard.SecurityServicesConfigured) -join ','
}
$verdict = Get-FirstRule -Rules $tables.verdicts -Facts $facts
$before = 'not known: no value was written here'
if ($state.before) {
    $before = $state.before
}
$deviceGuardLock = Get-Stored -Path 'SYSTEM\CurrentControlSet\Control\DeviceGuard' -Name 'Locked'
Write-Output ('Credential Guard: ' + $verdict.do + '; ' + $verdict.why)

$null = Get-Command -Name Write-SSMComplianceItem
$item = New-Object -TypeName Amazon.SimpleSystemsManagement.Model.ComplianceItemEntry
$item.Id = 'CredentialGuard'
$item.Title = 'Credential Guard: ' + $verdict.do
$item.Severity = 'HIGH'
$item.Status = 'NON_COMPLIANT'
if ($verdict.compliant) {
    $item.Severity = 'INFORMATIONAL'
    $item.Status = 'COMPLIANT'
}
$details = New-Object -TypeName 'System.Collections.Generic.Dictionary[string,string]'
$details.Add('state', $verdict.do)
$details.Add('reason', $verdict.why)
$details.Add('before', $before)
$details.Add('after', (Get-Status -DeviceGuard $deviceGuard))
$details.Add('configured', $configured)
$details.Add('availableProperties', $available)
$details.Add('secureBoot', $facts.secureBoot)
$details.Add('uefiLock', $lock)
$details.Add('vbsLocked', [string]$deviceGuardLock.Value)
$details.Add('launchTypes', $launch)
$details.Add('groupPolicy', $hostFacts.policy)
$details.Add('event13', $logged)
$details.Add('event14', (Get-EventText -LoggedEvent $configuration))
$details.Add('event51', (Get-EventText -LoggedEvent $key))
$details.Add('failureEvent', $failure)
for ($index = 0; $index -lt $actions.Count; $index++) {
    $details.Add($tables.values[$index].name, $actions[$index].do)
}
$item.Details = $details
$report = @{
    ResourceId = $env:AWS_SSM_INSTANCE_ID
    ResourceType = 'ManagedInstance'
    ComplianceType = $tables.complianceType
    ExecutionSummary_ExecutionTime = [DateTime]::UtcNow
    ExecutionSummary_ExecutionType = 'Command'
    Item = $item
    UploadType = 'COMPLETE'
    Region = $env:AWS_SSM_REGION_NAME
    Force = $true
}
Write-SSMComplianceItem @report
if ($verdict.compliant) {
    exit 0
}
exit 1
