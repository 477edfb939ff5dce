# Sends what nvidia-smi says to the CloudWatch agent on this machine, once a minute, under the names of the agent's own
# NVIDIA section, which is switched off on Windows.
$ErrorActionPreference = 'Stop'
# Only administrators make folders and files there; below ProgramData everybody does, and the task runs as SYSTEM.
$folder = Join-Path $env:ProgramFiles 'gpu-monitoring'
$script = Join-Path $folder 'send-gpu-metrics.ps1'
New-Item -ItemType Directory -Force -Path $folder | Out-Null
@'
$places = @(
  (Join-Path $env:SystemRoot 'System32\nvidia-smi.exe'),
  (Join-Path $env:ProgramFiles 'NVIDIA Corporation\NVSMI\nvidia-smi.exe')
)
$program = $places | Where-Object { Test-Path $_ } | Select-Object -First 1
if (-not $program) { exit 0 }
$names = @('utilization.gpu', 'utilization.memory', 'power.draw', 'temperature.gpu', 'memory.used', 'memory.total')
$query = '--query-gpu=index,' + ($names -join ',')
$udp = New-Object System.Net.Sockets.UdpClient
try {
  foreach ($line in (& $program $query '--format=csv,noheader,nounits')) {
    $values = $line.Split(',') | ForEach-Object { $_.Trim() }
    for ($i = 0; $i -lt $names.Count; $i++) {
      # A GPU may not support a value: nvidia-smi then says [N/A].
      if ($values[$i + 1] -match '^\d+(\.\d+)?$') {
        $metric = 'nvidia_smi_' + $names[$i].Replace('.', '_')
        $bytes = [System.Text.Encoding]::ASCII.GetBytes("$($metric):$($values[$i + 1])|g|#index:$($values[0])")
        [void]$udp.Send($bytes, $bytes.Length, '127.0.0.1', @STATSD_PORT@)
      }
    }
  }
} finally {
  $udp.Close()
}
'@ | Set-Content -Path $script -Encoding ASCII
$run = "-NoProfile -NonInteractive -ExecutionPolicy Bypass -File `"$script`""
$action = New-ScheduledTaskAction -Execute 'powershell.exe' -Argument $run
$minute = New-TimeSpan -Minutes 1
$always = New-TimeSpan -Days 3650
$trigger = New-ScheduledTaskTrigger -Once -At (Get-Date) -RepetitionInterval $minute -RepetitionDuration $always
Register-ScheduledTask -Force -TaskName 'gpu-monitoring' -User 'SYSTEM' -Action $action -Trigger $trigger | Out-Null
