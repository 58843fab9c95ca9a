# Runs as a unit of the systemd that root.sh started. Each step leaves its output and exit code in /out/<step>.
export HOME=/root
step() {
  name=$1
  shift
  "$@" > "/out/$name" 2>&1
  echo "exit $?" >> "/out/$name"
}
# Until a command succeeds; 20 s at most.
until_it() {
  for _ in $(seq 100); do
    if "$@" > /dev/null 2>&1; then return 0; fi
    sleep 0.2
  done
  return 1
}
answers() { curl --silent --fail http://127.0.0.1:8765/readyz; }
started_again() { test "$(systemctl show -p NRestarts --value local-telemetry)" = 1; }
service=http://127.0.0.1:8765
token() { echo "Authorization: Bearer $(cat /etc/local-telemetry.token)"; }
a_run() {
  echo "{\"event_id\":\"$1\",\"run_id\":\"$1\",\"agent_name\":\"a\",\"job_type\":\"j\",\"start_time\":\"2026-01-10T12:00:00Z\"}"
}
post() { a_run "$1" | curl --silent -H "$(token)" -H 'Content-Type: application/json' -d @- $service/api/v1/runs; }
status_of() { curl --silent --output /dev/null --write-out '%{http_code}' "$@"; }

ln -s /opt/local-telemetry/bin/local-telemetry /usr/local/bin/local-telemetry
cd /opt/local-telemetry/deploy/systemd || exit 1
step install bash -e /out/install.sh
if ! until_it answers; then
  step log journalctl -u local-telemetry --no-pager -o cat
  exit 1
fi
step ready answers
step token bash -e /out/token.sh
useradd --no-create-home agent
step spool bash -e /out/spool.sh
sed -i 's/^#TELEMETRY_BUFFER_DIR/TELEMETRY_BUFFER_DIR/' /etc/local-telemetry.env
systemctl daemon-reload
step restart systemctl restart local-telemetry
until_it answers
step without_token status_of $service/metrics
step post post sent
spooled=/var/spool/local-telemetry/telemetry_20260110_120000.jsonl
a_run spooled > /run/line
step spooled setpriv --reuid agent --regid agent --init-groups sh -c "umask 022; cat > $spooled.ready < /run/line"
until_it test -e $spooled.synced
step fetched curl --silent -H "$(token)" $service/api/v1/runs/spooled
step process grep -E '^(Uid|CapBnd|NoNewPrivs|Seccomp):' "/proc/$(systemctl show -p MainPID --value local-telemetry)/status"
step backup systemctl start local-telemetry-backup
step backups ls /var/backups/local-telemetry
step timer systemctl list-timers --no-pager
step doctor bash -c '. /out/function.sh; telemetry doctor'
systemctl kill --signal=KILL local-telemetry
until_it started_again
until_it answers
step restarted systemctl show -p NRestarts local-telemetry
step after_kill curl --silent -H "$(token)" $service/api/v1/runs/sent
step stop systemctl stop local-telemetry
step stopped systemctl show -p Result local-telemetry
step backup_without systemctl start local-telemetry-backup
# Starts by hand count too.
systemctl reset-failed local-telemetry
echo TELEMETRY_API_PORT=wrong >> /etc/local-telemetry.env
systemctl start local-telemetry
until_it systemctl is-failed local-telemetry
step wrong systemctl show -p NRestarts -p Result local-telemetry
step log journalctl -u local-telemetry -u local-telemetry-backup --no-pager -o cat
