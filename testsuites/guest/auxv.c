/* The auxiliary vector and the first stack of a program. */
#include "testsuites/guest/children.h"
#include "testsuites/guest/files.h"

#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

ROLE(compare_execfn) {
  say("AT_EXECFN %s\n", strcmp((char *)getauxval(AT_EXECFN), argv[2]) == 0 ? "as given" : "other");
  return strcmp((char *)getauxval(AT_EXECFN), argv[2]);
}

CASE(AT_EXECFN_is_the_path_given_to_exec) {
  pid_t child = fork();

  if (child == 0) {
    execl(guest_self, "argv0", "@compare_execfn", guest_self, NULL);
    leave();
  }
  expect_exit(child, 0);
}

ROLE(show_execfn) {
  say("AT_EXECFN %s, argv[0] %s\n", (char *)getauxval(AT_EXECFN), argv[0]);
  return 0;
}

CASE(AT_EXECFN_of_a_relative_path_and_a_symlink) {
  pid_t child;

  must(symlink(guest_self, "link"));
  child = fork();
  if (child == 0) {
    execl(".//link", "argv0", "@show_execfn", NULL);
    leave();
  }
  expect_exit(child, 0);
}

CASE(AT_PHDR_and_AT_ENTRY_describe_this_program) {
  const Elf64_Phdr *headers = (const Elf64_Phdr *)getauxval(AT_PHDR);
  size_t count = getauxval(AT_PHNUM), load = 0;
  uintptr_t bias = 0, entry = getauxval(AT_ENTRY);
  bool within = false;
  Elf64_Ehdr header;
  int fd = must(open(guest_self, O_RDONLY));

  must(read(fd, &header, sizeof(header)));
  is(getauxval(AT_PHENT), sizeof(Elf64_Phdr));
  check(count == header.e_phnum);
  for (size_t i = 0; i < count; i++)
    if (headers[i].p_type == PT_PHDR)
      bias = (uintptr_t)headers - headers[i].p_vaddr;
  for (size_t i = 0; i < count; i++)
    if (headers[i].p_type == PT_LOAD) {
      load++;
      within = within || (entry >= bias + headers[i].p_vaddr &&
                          entry < bias + headers[i].p_vaddr + headers[i].p_memsz);
    }
  check(load > 0 && within);
  check(entry == bias + header.e_entry);
}

CASE(AT_BASE_is_the_interpreter) {
  const unsigned char *base = (const unsigned char *)getauxval(AT_BASE);
  const Elf64_Phdr *headers = (const Elf64_Phdr *)getauxval(AT_PHDR);
  const char *interpreter = NULL;
  uintptr_t bias = 0;

  for (size_t i = 0; i < getauxval(AT_PHNUM); i++) {
    if (headers[i].p_type == PT_PHDR)
      bias = (uintptr_t)headers - headers[i].p_vaddr;
    if (headers[i].p_type == PT_INTERP)
      interpreter = (const char *)(bias + headers[i].p_vaddr);
  }
  if (!interpreter)
    skip("a static program has no interpreter");
  say("PT_INTERP in memory: %s\n", interpreter);
  check(base && memcmp(base, ELFMAG, SELFMAG) == 0);
}

CASE(identity_and_security_in_the_vector) {
  is(getauxval(AT_SECURE), 0);
  check(getauxval(AT_UID) == getuid() && getauxval(AT_EUID) == geteuid());
  check(getauxval(AT_GID) == getgid() && getauxval(AT_EGID) == getegid());
}

CASE(constants_in_the_vector) {
  is(getauxval(AT_PAGESZ), 4096);
  is(getauxval(AT_CLKTCK), sysconf(_SC_CLK_TCK));
  say("AT_PLATFORM %s\n", (char *)getauxval(AT_PLATFORM));
  is(getauxval(AT_FLAGS), 0);
  check(getauxval(AT_SYSINFO_EHDR) != 0);
  check(memcmp((void *)getauxval(AT_SYSINFO_EHDR), ELFMAG, SELFMAG) == 0);
}

ROLE(print_random) {
  const unsigned char *random = (const unsigned char *)getauxval(AT_RANDOM);
  int fd = atoi(argv[2]);

  return write(fd, random, 16) != 16;
}

CASE(AT_RANDOM_differs_from_run_to_run) {
  char bytes[2][16], number[16];
  int ends[2];

  must(pipe(ends));
  snprintf(number, sizeof(number), "%d", ends[1]);
  for (int i = 0; i < 2; i++) {
    pid_t child = fork();

    if (child == 0) {
      execl(guest_self, guest_self, "@print_random", number, NULL);
      leave();
    }
    expect_exit(child, 0);
    is(read(ends[0], bytes[i], 16), 16);
  }
  check(memcmp(bytes[0], bytes[1], 16) != 0);
}

CASE(the_break_begins_after_the_program_and_grows) {
  char *before = sbrk(0), *grown;

  check(before != (void *)-1);
  grown = sbrk(100000);
  if (grown == (void *)-1)
    skip("this library has no sbrk");
  check(grown == before);
  memset(grown, 1, 100000);
  check((char *)sbrk(0) == before + 100000);
}

static int order(struct dl_phdr_info *info, size_t size, void *count) {
  (void)size;
  check(info->dlpi_phnum > 0);
  ++*(int *)count;
  return 0;
}

CASE(the_loaded_objects_can_be_walked) {
  int count = 0;

  is(dl_iterate_phdr(order, &count), 0);
  check(count >= 1);
}

CASE(the_vdso_tells_the_time) {
  struct timespec a, b;

  ok(clock_gettime(CLOCK_MONOTONIC, &a));
  ok(clock_gettime(CLOCK_MONOTONIC, &b));
  check(b.tv_sec > a.tv_sec || (b.tv_sec == a.tv_sec && b.tv_nsec >= a.tv_nsec));
  ok(clock_gettime(CLOCK_REALTIME, &a));
  check(labs(a.tv_sec - time(NULL)) <= 1);
  fails(clock_gettime(77, &a), EINVAL);
}

CASE(the_stack_has_the_size_of_its_limit) {
  volatile char large[3 << 20];

  large[0] = 1;
  large[sizeof(large) - 1] = 2;
  is(large[0] + large[sizeof(large) - 1], 3);
}
