# Sends what nvidia-smi says to the CloudWatch agent on this machine, once a minute, under the names that the agent
# uses on Linux: its own NVIDIA section is switched off on Windows.
$folder = Join-Path $env:ProgramData 'gpu-monitoring'
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
        [void]$udp.Send($bytes, $bytes.Length, '127.0.0.1', 8125)
      }
    }
  }
} finally {
  $udp.Close()
}
'@ | Set-Content -Path $script -Encoding ASCII
# Of the folder below ProgramData every user could change files otherwise, and the task runs as SYSTEM.
& icacls.exe $folder /inheritance:r /grant:r '*S-1-5-18:(OI)(CI)F' '*S-1-5-32-544:(OI)(CI)F' | Out-Null
if ($LASTEXITCODE -ne 0) { exit 1 }
# No quotes around the path, which Windows PowerShell would lose on the way to schtasks: there is no space in it.
$run = "powershell.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass -File $script"
& schtasks.exe /Create /F /RU SYSTEM /SC MINUTE /MO 1 /TN 'gpu-monitoring' /TR $run | Out-Null
exit $LASTEXITCODE
