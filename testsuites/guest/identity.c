/* Users, groups, names of the system. */
#include "testsuites/guest/children.h"
#include "testsuites/guest/files.h"
#include "testsuites/guest/raw.h"

#include <grp.h>
#include <sys/auxv.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

CASE(the_identities_agree) {
  uid_t real, effective, saved;
  gid_t groups[3];

  ok(getresuid(&real, &effective, &saved));
  check(real == getuid() && effective == geteuid() && saved == real);
  ok(getresgid(&groups[0], &groups[1], &groups[2]));
  check(groups[0] == getgid() && groups[1] == getegid() && groups[2] == groups[0]);
  say("uid %d gid %d\n", (int)getuid(), (int)getgid());
}

CASE(files_belong_to_their_maker) {
  struct stat st;

  put_file("f", "");
  must(stat("f", &st));
  check(st.st_uid == geteuid() && st.st_gid == getegid());
  must(mkdir("d", 0755));
  must(stat("d", &st));
  check(st.st_uid == geteuid() && st.st_gid == getegid());
}

CASE(changing_to_the_own_identity_works) {
  ok(setuid(getuid()));
  ok(setgid(getgid()));
  ok(seteuid(geteuid()));
  ok(setreuid(-1, -1));
  ok(setreuid(getuid(), geteuid()));
  ok(setresuid(-1, -1, -1));
  ok(setresgid(getgid(), -1, getgid()));
}

CASE(an_ordinary_user_becomes_nobody_else) {
  need_ordinary_user();
  need_unmapped();
  fails(setuid(0), EPERM);
  fails(setgid(0), EPERM);
  fails(setreuid(0, 0), EPERM);
  fails(setresuid(-1, 0, -1), EPERM);
  fails(setresgid(0, 0, 0), EPERM);
  fails(setgroups(0, NULL), EPERM);
  fails(seteuid(12345), EPERM);
}

CASE(the_superuser_becomes_somebody_and_cannot_go_back) {
  uid_t real, effective, saved;
  pid_t child;

  need_superuser();
  need_unmapped();
  child = fork();
  if (child == 0) {
    ok(setgroups(0, NULL));
    ok(setresgid(1234, 1234, 1234));
    ok(setresuid(1000, 1000, 1000));
    must(getresuid(&real, &effective, &saved));
    say("%d %d %d\n", (int)real, (int)effective, (int)saved);
    fails(setuid(0), EPERM);
    fails(setgid(0), EPERM);
    fails(chown("/tmp", 0, 0), EPERM);
    leave();
  }
  expect_exit(child, 0);
}

CASE(the_superuser_changes_its_effective_identity_and_back) {
  uid_t real, effective, saved;
  struct stat st;

  need_superuser();
  need_unmapped();
  must(chmod(".", 0777));
  ok(seteuid(1000));
  must(getresuid(&real, &effective, &saved));
  say("%d %d %d\n", (int)real, (int)effective, (int)saved);
  must(mkdir("by_1000", 0755));
  must(stat("by_1000", &st));
  is(st.st_uid, 1000);
  ok(seteuid(0));
  ok(setegid(77));
  must(mkdir("by_77", 0755));
  must(stat("by_77", &st));
  is(st.st_gid, 77);
  is(st.st_uid, 0);
}

CASE(permissions_follow_the_effective_identity) {
  pid_t child;

  need_superuser();
  need_unmapped();
  must(chmod(".", 0755));
  put_file("secret", "text");
  must(chmod("secret", 0600));
  child = fork();
  if (child == 0) {
    must(setgroups(0, NULL));
    must(setresgid(1000, 1000, 1000));
    must(setresuid(1000, 1000, 1000));
    fails(open("secret", O_RDONLY), EACCES);
    fails(open("new", O_CREAT | O_WRONLY, 0644), EACCES);
    fails(mkdir("d", 0755), EACCES);
    fails(chmod("secret", 0666), EPERM);
    fails(unlink("secret"), EACCES);
    leave();
  }
  expect_exit(child, 0);
}

CASE(groups_give_permission) {
  pid_t child;

  need_superuser();
  need_unmapped();
  put_file("f", "text");
  must(chown("f", 0, 4321));
  must(chmod("f", 0640));
  child = fork();
  if (child == 0) {
    gid_t groups[] = {4321, 9}, now[8];

    ok(setgroups(2, groups));
    is(getgroups(8, now), 2);
    must(setresgid(1000, 1000, 1000));
    must(setresuid(1000, 1000, 1000));
    ok(open("f", O_RDONLY));
    fails(open("f", O_WRONLY), EACCES);
    leave();
  }
  expect_exit(child, 0);
}

ROLE(show_effective) {
  if (geteuid() == getuid())
    say("effective user as the real one");
  else
    say("effective user %d", (int)geteuid());
  say(", AT_SECURE %lu\n", getauxval(AT_SECURE));
  return 0;
}

static void run_with_mode(mode_t mode) {
  pid_t child;

  must(chmod("prog", mode));
  child = fork();
  if (child == 0) {
    execl("./prog", "prog", "@show_effective", NULL);
    leave();
  }
  expect_exit(child, 0);
}

CASE(the_set_user_bit_of_an_own_program_changes_nothing) {
  copy_self("prog", 0755);
  run_with_mode(04755);
  run_with_mode(06755);
}

CASE(the_set_user_bit_of_anothers_program_gives_its_identity) {
  need_superuser();
  need_unmapped();
  copy_self("prog", 0755);
  must(chown("prog", 1234, 5678));
  run_with_mode(04755);
  run_with_mode(0755);
}

CASE(getgroups_counts_and_checks_the_buffer) {
  gid_t groups[256];
  int count = getgroups(0, NULL);

  check(count >= 0 && count <= 256);
  check(getgroups(256, groups) == count);
  if (count > 1)
    fails(getgroups(1, groups), EINVAL);
  fails(syscall(SYS_getgroups, -1, groups), EINVAL);
}

CASE(setfsuid_answers_the_old_one) {
  check(setfsuid(-1) == (int)geteuid());
  check(setfsgid(-1) == (int)getegid());
}

CASE(uname_tells_a_linux_system) {
  struct utsname name;
  char host[65];
  int major = 0, minor = 0;

  ok(uname(&name));
  say("%s %s\n", name.sysname, name.machine);
  check(sscanf(name.release, "%d.%d", &major, &minor) == 2 && major >= 4);
  check(name.version[0] == '#');
  ok(gethostname(host, sizeof(host)));
  check(strcmp(host, name.nodename) == 0);
}

CASE(an_ordinary_user_does_not_rename_the_system) {
  need_ordinary_user();
  fails(sethostname("other", 5), EPERM);
  fails(setdomainname("other", 5), EPERM);
}

CASE(prctl_keeps_what_it_is_told) {
  char name[17] = "";

  is(prctl(PR_GET_DUMPABLE), 1);
  ok(prctl(PR_SET_DUMPABLE, 0));
  is(prctl(PR_GET_DUMPABLE), 0);
  ok(mkdir("while_not_dumpable", 0755));
  ok(prctl(PR_SET_DUMPABLE, 1));
  ok(prctl(PR_SET_NAME, "0123456789abcdefg"));
  ok(prctl(PR_GET_NAME, name));
  say("%s\n", name);
  ok(prctl(PR_SET_KEEPCAPS, 1));
  is(prctl(PR_GET_KEEPCAPS), 1);
  is(prctl(PR_GET_PDEATHSIG, name), 0);
  fails(prctl(12345), EINVAL);
}

CASE(sysinfo_is_plausible) {
  struct sysinfo information;

  ok(sysinfo(&information));
  check(information.uptime > 0 && information.totalram > 0 && information.procs > 0);
  check(sysconf(_SC_NPROCESSORS_ONLN) >= 1);
}

CASE(what_only_a_systems_administrator_may) {
  need_ordinary_user();
  fails(mount("none", "/tmp", "tmpfs", 0, NULL), EPERM);
  fails(umount2("/proc", 0), EPERM);
  fails(syscall(SYS_reboot, 0xfee1dead, 672274793, 0x89abcdef, NULL), EPERM);
  fails(syscall(SYS_settimeofday, &(struct timespec){0}, NULL), EPERM);
  fails(syscall(SYS_acct, "f"), EPERM);
  fails(syscall(SYS_swapoff, "/tmp"), EPERM);
}
