#!/usr/bin/env bash
# Makes an instance of services.yaml what it is to be: edge, aggregate or query. Run once, as root, by the instance's user
# data, which writes the program's environment into `settings` beside it. Usage: instance.sh ROLE
#
# Variables: AWS_REGION; STACK and RESOURCE, told that the instance is up; RELEASE, the release's folder in S3; LOGS, a log
# group; an edge's VOLUME; for others SECRET and SECRET_VERSION of the database's password; DEFINITIONS, files of the release.
set -euo pipefail
role=$1
here=/var/lib/highwater
case $role in
    edge) port=8080 ;;
    query) port=8081 ;;
    aggregate) port=8082 ;;
    *) echo "$role is none of edge, query, aggregate" >&2; exit 2 ;;
esac

# CloudFormation waits for this before it goes on to the next instance, or goes back.
signal() {
    local ended=$?
    /opt/aws/bin/cfn-signal --exit-code $ended --stack "$STACK" --resource "$RESOURCE" --region "$AWS_REGION"
}
trap signal EXIT

imds() {
    curl -sf -H "X-aws-ec2-metadata-token: $token" "http://169.254.169.254/latest/meta-data/$1"
}
token=$(curl -sf -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 600' http://169.254.169.254/latest/api/token)
instance=$(imds instance-id)

fetch() {
    aws s3 cp --only-show-errors "$RELEASE/$1" "$2"
}

# The same number on each instance: files on a volume belong to it.
groupadd --gid 8080 highwater
useradd --uid 8080 --gid 8080 --home-dir "$here" --no-create-home --shell /usr/sbin/nologin highwater
install -d -m 755 /etc/highwater /etc/systemd/system/highwater.service.d
fetch highwater /usr/local/bin/highwater
chmod 755 /usr/local/bin/highwater
fetch highwater.service /etc/systemd/system/highwater.service

# Attaches the volume once the instance that had it has let go of it, and mounts it. Never forces it from anybody.
mount_volume() {
    for _ in $(seq 90); do
        aws ec2 attach-volume --volume-id "$VOLUME" --instance-id "$instance" --device /dev/sdf && break
        sleep 10
    done
    device=/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${VOLUME/-/}
    for _ in $(seq 60); do
        [ -b "$device" ] && break
        sleep 1
    done
    [ -b "$device" ] || { echo "the volume $VOLUME could not be attached" >&2; exit 1; }
    # Only a blank one is formatted; one that holds something unknown is not mounted either.
    if cmp --quiet --bytes=$((1024 * 1024)) "$device" /dev/zero; then
        mkfs.xfs "$device"
    fi
    install -d "$here"
    # Without the volume the machine starts, the program does not: see RequiresMountsFor below.
    echo "$device $here xfs nofail,x-systemd.device-timeout=120s 0 2" >>/etc/fstab
    systemctl daemon-reload
    mount "$here"
    # After the volume was enlarged.
    xfs_growfs "$here"
}
if [ "$role" = edge ]; then
    mount_volume
fi

# A password has letters and digits only, so it may stand in a URL and in this.
if [ "$role" != edge ]; then
    fetch database.pem /etc/highwater/database.pem
    version=(${SECRET_VERSION:+--version-id "$SECRET_VERSION"})
    secret=$(aws secretsmanager get-secret-value --secret-id "$SECRET" "${version[@]}" --query SecretString --output text)
    password=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["password"])' <<<"$secret")
    [[ $password =~ ^[A-Za-z0-9]+$ ]] || { echo "the password has characters that a URL may not have" >&2; exit 1; }
    sed -i "s/:PASSWORD@/:$password@/" settings
fi

files=() definitions=${DEFINITIONS:-}
for name in ${definitions//,/ }; do
    fetch "$name" "/etc/highwater/$name"
    files+=("/etc/highwater/$name")
done
if [ ${#files[@]} != 0 ]; then
    (IFS=, && echo "HIGHWATER_DEFINITIONS=${files[*]}" >>settings)
fi
echo "AWS_REGION=$AWS_REGION" >>settings
install -m 600 settings /etc/highwater/environment
rm settings

{
    if [ "$role" = edge ]; then
        printf '[Unit]\nRequiresMountsFor=%s\n' "$here"
    fi
    cat <<END
[Service]
ExecStart=
ExecStart=/usr/local/bin/highwater $role
EnvironmentFile=/etc/highwater/environment
StandardError=append:/var/log/highwater.log
END
} >/etc/systemd/system/highwater.service.d/role.conf
systemctl daemon-reload
systemctl enable --now highwater

# Log lines go to the log group. Without that the program runs all the same.
send_logs() {
    cat >/etc/logrotate.d/highwater <<'END'
/var/log/highwater.log {
    size 100M
    rotate 4
    copytruncate
    missingok
}
END
    dnf install -y -q amazon-cloudwatch-agent
    cat >/etc/highwater/logs.json <<END
{"logs": {"logs_collected": {"files": {"collect_list": [
    {"file_path": "/var/log/highwater.log", "log_group_name": "$LOGS", "log_stream_name": "$instance"}
]}}}}
END
    /opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl -a fetch-config -m ec2 -s -c file:/etc/highwater/logs.json
}
(send_logs) || echo "log lines are not sent; they are in /var/log/highwater.log" >&2

# Up is who answers well.
for _ in $(seq 120); do
    curl -sf -o /dev/null "http://127.0.0.1:$port/__heartbeat__" && exit 0
    sleep 5
done
echo "highwater does not answer well; its last lines:" >&2
tail -n 50 /var/log/highwater.log >&2
exit 1
