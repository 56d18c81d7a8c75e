# Mailboxes between Dovecot and Mailstead, in both directions, through their files. Sourced by run.sh.
# shellcheck shell=bash disable=SC2154

# Dovecot refuses to read mail as root, so then it runs as the user `nobody`, on copies.
reader=$(id -un) group=$(id -gn)
if [ "$(id -u)" = 0 ]; then reader=nobody group=nogroup; fi
mkdir -p "$work/dovecot/home"
cat >"$work/dovecot.conf" <<C
mail_location = maildir:~/Maildir
mail_home = $work/dovecot/home
mail_uid = $reader
mail_gid = $group
log_path = /dev/stderr
ssl = no
namespace inbox {
  inbox = yes
  separator = /
}
C
chown -R "$reader:$group" "$work/dovecot"
doveadm_() { USER=reader HOME=$work/dovecot/home doveadm -c "$work/dovecot.conf" "$@"; }
maildir_of() { echo "$mail_dir/$domain/${1%@*}/Maildir"; }

# imap USER PASSWORD MAILBOX COMMAND: a command's responses as curl prints them.
imap() { curl -sS "${at[@]}" --user "$1:$2" "imaps://$hostname:$port_imaps/$3" -X "$4" | tr -d '\r'; }

dovecot_writes() {
  local i
  doveadm_ mailbox create Old &&
    for i in 1 2 3 4; do printf 'Subject: old-%s\r\n\r\nfrom another server\r\n' $i | doveadm_ save -m Old || return 1; done &&
    doveadm_ expunge mailbox Old uid 1 &&
    doveadm_ flags add '\Flagged \Seen' mailbox Old uid 3 &&
    doveadm_ flags add 'blue $Forwarded' mailbox Old uid 4 &&
    cp -a "$work/dovecot/home/Maildir/.Old" "$(maildir_of "$user_0")/.Old" &&
    chown -R "$(stat -c %u:%g "$(maildir_of "$user_0")")" "$(maildir_of "$user_0")/.Old"
}
mailstead_adopts() {
  local validity seen
  validity=$(doveadm_ -f tab mailbox status uidvalidity Old | awk 'END{print $2}')
  seen=$(imap "$user_0" "$password_0" '' 'STATUS Old (UIDVALIDITY UIDNEXT MESSAGES)')
  echo "$seen"
  holds "$seen" 'MESSAGES 3' && holds "$seen" 'UIDNEXT 5' && holds "$seen" "UIDVALIDITY $validity" || return 1
  seen=$(imap "$user_0" "$password_0" Old 'UID FETCH 1:* (UID FLAGS)')
  echo "$seen"
  holds "$seen" 'UID 2\b' && ! holds "$seen" 'UID 1\b' &&
    holds "$(grep 'UID 3\b' <<<"$seen")" 'Seen' && holds "$(grep 'UID 3\b' <<<"$seen")" 'Flagged' &&
    holds "$(grep 'UID 4\b' <<<"$seen")" 'blue' && holds "$(grep 'UID 4\b' <<<"$seen")" 'Forwarded'
}
mailstead_writes() {
  printf 'Subject: new-1\r\n\r\nfrom this server\r\n' >"$work/new-1"
  curl -sS "${at[@]}" --user "$user_0:$password_0" "imaps://$hostname:$port_imaps/Old" --upload-file "$work/new-1" &&
    imap "$user_0" "$password_0" Old 'UID STORE 2 +FLAGS (\Answered green)' &&
    imap "$user_0" "$password_0" Old 'UID STORE 3 -FLAGS (\Seen)' &&
    # Mail that LMTP delivered, in an INBOX that Dovecot has never seen; its UIDs are assigned when it is first opened.
    imap "$user_0" "$password_0" INBOX 'UID FETCH 1:* (FLAGS)' &&
    rm -rf "$work/dovecot/home/Maildir" && cp -a "$(maildir_of "$user_0")" "$work/dovecot/home/Maildir" &&
    chown -R "$reader:$group" "$work/dovecot/home"
}
dovecot_adopts() {
  local found
  found=$(doveadm_ -f tab fetch 'uid flags hdr.subject' mailbox Old all)
  echo "$found"
  grep -P '^2\t.*\\Answered.*\bgreen.*\told-2' <<<"$found" && grep -P '^3\t\\Flagged( \\Recent)?\told-3' <<<"$found" &&
    grep -P '^4\t.*blue.*\told-4' <<<"$found" && grep -P '^5\t.*\tnew-1' <<<"$found"
}
inboxes_agree() {
  local ours theirs
  ours=$(imap "$user_0" "$password_0" INBOX 'UID FETCH 1:* (UID)' | grep -o 'UID [0-9]*' | cut -d' ' -f2 | sort -n)
  theirs=$(doveadm_ -f tab fetch uid mailbox INBOX all | tail -n +2 | sort -n)
  [ -n "$ours" ] && is "$theirs" "$ours" || return 1
  ours=$(imap "$user_0" "$password_0" '' 'STATUS INBOX (UIDVALIDITY)' | grep -o 'UIDVALIDITY [0-9]*' | cut -d' ' -f2)
  theirs=$(doveadm_ -f tab mailbox status uidvalidity INBOX | awk 'END{print $2}')
  is "$theirs" "$ours"
}

swaks --silent 2 --timeout 30 --ehlo client.example.com --server "$host" --port "$port_smtp" --from stranger@example.com \
  --to "$user_0" --header 'Subject: for-dovecot' >/dev/null
check "Dovecot writes a mailbox" dovecot_writes
check "Mailstead adopts it, UIDs and flags kept" mailstead_adopts
check "Mailstead changes it" mailstead_writes
check "Dovecot adopts that, UIDs and flags kept" dovecot_adopts
check "INBOX has the same UIDs in Dovecot" inboxes_agree
