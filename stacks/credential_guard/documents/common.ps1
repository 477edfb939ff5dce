# Shared by both scripts: the tables, how their rules are read, and facts about the host.
# For Windows PowerShell 5.1, 64-bit, run by SSM Agent as SYSTEM.
$ErrorActionPreference = 'Stop'
Set-StrictMode -Version 2
trap {
    Write-Output ('Failed: ' + $_.Exception.Message)
    exit 1
}
if (-not [Environment]::Is64BitProcess) {
    throw 'A 32-bit process sees another registry; start the 64-bit PowerShell.'
}

$tables = ConvertFrom-Json -InputObject @'
@TABLES@
'@
$root = 'HKLM:'
$folder = Join-Path -Path $env:ProgramFiles -ChildPath 'credential-guard'
$stateFile = Join-Path -Path $folder -ChildPath 'state.json'

function Get-FirstRule($Rules, $Facts) {
    # The first rule whose conditions all hold; each condition lists the values that it accepts.
    foreach ($rule in $Rules) {
        $holds = $true
        foreach ($condition in $rule.when.PSObject.Properties) {
            if (@($condition.Value) -notcontains $Facts[$condition.Name]) {
                $holds = $false
            }
        }
        if ($holds) {
            return $rule
        }
    }
}

function Get-Text($Condition) {
    if ($Condition) { 'true' } else { 'false' }
}

function Get-Stored($Path, $Name) {
    # Type and data of a registry value, without an error if the key or value is missing.
    $stored = @{ Kind = 'absent'; Value = $null }
    $full = Join-Path -Path $root -ChildPath $Path
    if (Test-Path -LiteralPath $full) {
        $key = Get-Item -LiteralPath $full
        if ($key.GetValueNames() -contains $Name) {
            $stored.Kind = [string]$key.GetValueKind($Name)
            $stored.Value = $key.GetValue($Name, $null)
        }
    }
    $stored
}

function Get-PolicyFact($Row) {
    # Group policy's copy of a value: absent, present, or contradicting Credential Guard.
    if (-not $Row.policy) {
        return 'absent'
    }
    $stored = Get-Stored -Path $tables.policyPath -Name $Row.policy
    if ($stored.Kind -eq 'absent') {
        return 'absent'
    }
    if ($stored.Kind -eq 'DWord') {
        if (@($Row.unset) -contains $stored.Value) {
            return 'absent'
        }
        if (@($Row.agrees) -contains $stored.Value) {
            return 'present'
        }
    }
    'contradicts'
}

function Get-RowAction($Row) {
    $stored = Get-Stored -Path $Row.path -Name $Row.name
    $locked = $false
    if ($null -ne $Row.keep) {
        $locked = ($stored.Kind -eq 'DWord') -and ($stored.Value -eq $Row.keep)
    }
    if ($Row.lock) {
        $beside = Get-Stored -Path $Row.path -Name $Row.lock
        $locked = $locked -or ($beside.Value -eq 1)
    }
    $facts = @{
        policy = Get-PolicyFact -Row $Row
        locked = Get-Text -Condition $locked
        kind = $stored.Kind
        same = Get-Text -Condition (($stored.Kind -eq 'DWord') -and ($stored.Value -eq $Row.data))
    }
    Get-FirstRule -Rules $tables.row -Facts $facts
}

function Get-HostFacts {
    $role = (Get-CimInstance -ClassName Win32_ComputerSystem).DomainRole
    $policies = @($tables.values | ForEach-Object -Process { Get-PolicyFact -Row $_ })
    $policy = 'agrees'
    if ($policies -contains 'contradicts') {
        $policy = 'contradicts'
    }
    @{
        domainController = Get-Text -Condition (@(4, 5) -contains $role)
        policy = $policy
    }
}

function Get-BootTime {
    (Get-CimInstance -ClassName Win32_OperatingSystem).LastBootUpTime.ToUniversalTime()
}

function Get-Wanted {
    # All values in one line; a different line counts as a first time again.
    @($tables.values | ForEach-Object -Process { $_.name + '=' + $_.data }) -join ' '
}

function Get-State {
    # State of earlier runs: wanted values, number of reboots, whether they finished or gave up, when values were written,
    # and the status before. A state that an image brings from another instance is ignored.
    $state = @{
        instance = [string]$env:AWS_SSM_INSTANCE_ID
        wanted = ''
        reboots = 0
        finished = $false
        gaveUp = $false
        writtenAt = [long]0
        before = ''
    }
    if (-not (Test-Path -LiteralPath $stateFile)) {
        return $state
    }
    try {
        $kept = ConvertFrom-Json -InputObject (Get-Content -LiteralPath $stateFile -Raw)
        if ($kept.instance -ne $state.instance) {
            return $state
        }
        foreach ($property in $kept.PSObject.Properties) {
            $state[$property.Name] = $property.Value
        }
    } catch {
        # The number of reboots is unknown, so these values count as finished.
        Write-Warning ('The state of earlier runs cannot be read: ' + $_.Exception.Message)
        $state.wanted = Get-Wanted
        $state.finished = $true
    }
    $state
}

function Get-DeviceGuard {
    # Null if the class cannot be read, which is not the same as off.
    try {
        Get-CimInstance -Namespace 'root\Microsoft\Windows\DeviceGuard' -ClassName Win32_DeviceGuard
    } catch {
        $null
    }
}

function Get-Status($DeviceGuard) {
    # Status and services of Win32_DeviceGuard in one line, such as {2,[1]}.
    if ($null -eq $DeviceGuard) {
        return 'unknown'
    }
    $services = @($DeviceGuard.SecurityServicesRunning | Where-Object -FilterScript { $null -ne $_ }) -join ','
    '{' + $DeviceGuard.VirtualizationBasedSecurityStatus + ',[' + $services + ']}'
}

