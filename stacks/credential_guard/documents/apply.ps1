# Writes Credential Guard's registry values from the table, and reboots only after changing one.
# SSM Agent reboots the host on exit code 3010, and then runs this again from its first line:
# https://docs.aws.amazon.com/systems-manager/latest/userguide/send-commands-reboot.html
function Test-Window {
    # Whether hosts may reboot now; a window may extend past midnight.
    $window = $tables.window
    if ($null -eq $window) {
        return $false
    }
    $now = [DateTime]::UtcNow
    $day = $now
    $since = 60 * $now.Hour + $now.Minute - $window.start
    if ($since -lt 0) {
        $since = $since + 1440
        $day = $now.AddDays(-1)
    }
    $name = $day.DayOfWeek.ToString().Substring(0, 3).ToUpperInvariant()
    ($since -lt $window.minutes) -and (@('DAILY', $name) -contains $window.day)
}

function Save-State($State) {
    if (-not (Test-Path -LiteralPath $folder)) {
        $null = New-Item -Path $folder -ItemType Directory
    }
    # In two steps, so that a host that goes down keeps the old file or has the new one.
    Set-Content -LiteralPath ($stateFile + '.new') -Value (ConvertTo-Json -InputObject $State) -Encoding UTF8
    Move-Item -LiteralPath ($stateFile + '.new') -Destination $stateFile -Force
}

$decided = Get-FirstRule -Rules $tables.host -Facts (Get-HostFacts)
if ($decided.do -ne 'go') {
    Write-Output ('Nothing is written: ' + $decided.why)
    exit 0
}

$state = Get-State
$wanted = Get-Wanted
if ($state.wanted -ne $wanted) {
    $state.wanted = $wanted
    $state.finished = $false
    $state.gaveUp = $false
    $state.reboots = 0
}
if (-not $state.before) {
    $state.before = Get-Status -DeviceGuard (Get-DeviceGuard)
}

$written = 0
foreach ($row in $tables.values) {
    $action = Get-RowAction -Row $row
    Write-Output ($row.name + ': ' + $action.do + ', ' + $action.why)
    if ($action.do -eq 'write') {
        # Saved before the first value, so that an interrupted run is not forgotten.
        $state.writtenAt = [DateTime]::UtcNow.Ticks
        Save-State -State $state
        $path = Join-Path -Path $root -ChildPath $row.path
        if (-not (Test-Path -LiteralPath $path)) {
            $null = New-Item -Path $path -Force
        }
        $null = New-ItemProperty -LiteralPath $path -Name $row.name -Value $row.data -PropertyType DWord -Force
        $written = $written + 1
    }
}

$pending = ($state.writtenAt -gt 0) -and ($state.writtenAt -gt (Get-BootTime).Ticks)
$open = 'closed'
if (Test-Window) {
    $open = 'open'
}
$facts = @{
    changed = Get-Text -Condition $pending
    reboots = [string]$state.reboots
    gaveUp = Get-Text -Condition $state.gaveUp
    mode = $tables.mode
    finished = Get-Text -Condition $state.finished
    window = $open
}
$next = Get-FirstRule -Rules $tables.reboot -Facts $facts
Write-Output ([string]$written + ' written; ' + $next.do + ': ' + $next.why)
if ($next.do -eq 'done') {
    $state.finished = $true
    $state.gaveUp = $false
    $state.reboots = 0
}
if ($next.do -eq 'give up') {
    $state.gaveUp = $true
}
if ($next.do -eq 'reboot') {
    $state.reboots = $state.reboots + 1
}
Save-State -State $state
if ($next.do -eq 'reboot') {
    exit 3010
}
if ($next.do -eq 'give up') {
    exit 1
}
exit 0
