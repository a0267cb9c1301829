/*
 * libunwind on another process's stack, through accessors of our own: registers that
 * were read beforehand, memory by asking the parent.
 */
#include "signals/unwind.h"

#include <libunwind.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

/* Exported for callers with a find_proc_info of their own; in no header (perf declares it so too).
 */
int UNW_OBJ(dwarf_search_unwind_table)(unw_addr_space_t space, unw_word_t ip, unw_dyn_info_t *table,
                                       unw_proc_info_t *info, int need_unwind_info, void *context);

/* Where the table of one row lies that a search ended in: in the kernel's half, so in no guest. */
#define FOUND_TABLE UINT64_C(0xffffffff00000000)

/* A program's unwinding takes some hundred reads for each frame. */
#define WORK_MAX 1000000

static int access_memory(unw_addr_space_t space DZ_UNUSED, unw_word_t address, unw_word_t *value,
                         int write, void *context) {
  struct dz_unwinder *unwinder = context;

  if (write)
    return -UNW_EINVAL;
  if (address == FOUND_TABLE && unwinder->work > 0) {
    unwinder->work--;
    *value = unwinder->found.entry;
    return 0;
  }
  return dz_unwind_read(unwinder, DZ_UNWIND_MEMORY, address, value, sizeof *value) ? 0
                                                                                   : -UNW_EINVAL;
}

/* libunwind numbers registers as DWARF does. */
static const size_t offsets[] = {
#define REGISTER(unwinds, users) [UNW_X86_64_##unwinds] = offsetof(struct user_regs_struct, users)
    REGISTER(RAX, rax), REGISTER(RDX, rdx), REGISTER(RCX, rcx), REGISTER(RBX, rbx),
    REGISTER(RSI, rsi), REGISTER(RDI, rdi), REGISTER(RBP, rbp), REGISTER(RSP, rsp),
    REGISTER(R8, r8),   REGISTER(R9, r9),   REGISTER(R10, r10), REGISTER(R11, r11),
    REGISTER(R12, r12), REGISTER(R13, r13), REGISTER(R14, r14), REGISTER(R15, r15),
    REGISTER(RIP, rip),
#undef REGISTER
};

static int access_register(unw_addr_space_t space DZ_UNUSED, unw_regnum_t number, unw_word_t *value,
                           int write, void *context) {
  const struct dz_unwinder *unwinder = context;

  if (write || number < 0 || number >= (int)DZ_ARRAY_SIZE(offsets) ||
      !(unwinder->known >> number & 1))
    return -UNW_EBADREG;
  memcpy(value, (const char *)&unwinder->registers + offsets[number], sizeof *value);
  return 0;
}

static int access_float(unw_addr_space_t space DZ_UNUSED, unw_regnum_t number DZ_UNUSED,
                        unw_fpreg_t *value DZ_UNUSED, int write DZ_UNUSED,
                        void *context DZ_UNUSED) {
  return -UNW_EBADREG;
}

/* The sorted table that linkers make: version 1, pc-relative address of .eh_frame, a count, rows of
 * two numbers relative to the table. Other forms are searched for. LSB Core 5.0, 10.6.2. */
static bool describe_table(struct dz_unwinder *unwinder, uint64_t at, unw_dyn_info_t *table) {
  static const uint8_t usual[4] = {1, 0x1b, 0x03, 0x3b};
  uint8_t head[12];
  uint32_t rows;

  if (!dz_unwind_read(unwinder, DZ_UNWIND_MEMORY, at, head, sizeof head) ||
      memcmp(head, usual, sizeof usual) != 0)
    return false;
  memcpy(&rows, head + 8, sizeof rows);
  table->u.rti.segbase = at;
  table->u.rti.table_data = at + sizeof head;
  table->u.rti.table_len = rows; /* in words, as long as a row */
  return rows > 0 && rows < INT32_MAX / 8;
}

static bool describe_found(struct dz_unwinder *unwinder, unsigned module, uint64_t ip,
                           unw_dyn_info_t *table) {
  uint64_t entry = dz_unwind_search(unwinder, module, ip);
  int64_t to_ip = (int64_t)(ip - entry);

  if (!entry || to_ip != (int32_t)to_ip)
    return false;
  unwinder->found.base = entry;
  unwinder->found.entry =
      (uint32_t)to_ip; /* start, relative; the high half, where the entry is: 0 */
  table->u.rti.segbase = entry;
  table->u.rti.table_data = FOUND_TABLE;
  table->u.rti.table_len = 1;
  return true;
}

static int find_procedure(unw_addr_space_t space, unw_word_t ip, unw_proc_info_t *info,
                          int need_unwind_info, void *context) {
  struct dz_unwinder *unwinder = context;
  const struct dz_mapping *mapping = dz_modules_find(unwinder->source->modules, ip);
  const struct dz_image *image;
  unw_dyn_info_t table = {.format = UNW_INFO_FORMAT_REMOTE_TABLE};

  if (!mapping)
    return -UNW_ENOINFO;
  image = dz_unwind_image(unwinder, mapping->module);
  if (!image->is_elf)
    return -UNW_ENOINFO;
  table.start_ip = mapping->start;
  table.end_ip = mapping->end;
  if (!(image->eh_table && describe_table(unwinder, image->eh_table, &table)) &&
      !describe_found(unwinder, mapping->module, ip, &table))
    return -UNW_ENOINFO;
  return UNW_OBJ(dwarf_search_unwind_table)(space, ip, &table, info, need_unwind_info, context);
}

static void put_unwind_info(unw_addr_space_t space DZ_UNUSED, unw_proc_info_t *info DZ_UNUSED,
                            void *context DZ_UNUSED) {}

static int no_list(unw_addr_space_t space DZ_UNUSED, unw_word_t *address DZ_UNUSED,
                   void *context DZ_UNUSED) {
  return -UNW_ENOINFO;
}

static int never_resume(unw_addr_space_t space DZ_UNUSED, unw_cursor_t *cursor DZ_UNUSED,
                        void *context DZ_UNUSED) {
  return -UNW_EINVAL;
}

static int no_name(unw_addr_space_t space DZ_UNUSED, unw_word_t address DZ_UNUSED,
                   char *name DZ_UNUSED, size_t size DZ_UNUSED, unw_word_t *offset DZ_UNUSED,
                   void *context DZ_UNUSED) {
  return -UNW_ENOINFO;
}

static unw_accessors_t accessors = {
    .find_proc_info = find_procedure,
    .put_unwind_info = put_unwind_info,
    .get_dyn_info_list_addr = no_list,
    .access_mem = access_memory,
    .access_reg = access_register,
    .access_fpreg = access_float,
    .resume = never_resume,
    .get_proc_name = no_name,
};

static void add_frame(struct dz_unwinder *unwinder, uint64_t ip) {
  const struct dz_mapping *mapping = dz_modules_find(unwinder->source->modules, ip);
  struct dz_frame *frame = &unwinder->frames[unwinder->count++];
  struct dz_unwind_message message = {.kind = DZ_UNWIND_FRAME, .ip = ip};

  frame->ip = ip;
  frame->module = mapping ? (int)mapping->module : -1;
  message.space = frame->module;
  dz_unwind_tell(unwinder, &message);
}

static bool has_tables(struct dz_unwinder *unwinder, unw_addr_space_t space, uint64_t ip) {
  unw_proc_info_t info;

  return find_procedure(space, ip, &info, 0, unwinder) == 0;
}

/* Go on in the caller of a function without tables, whose registers are those of the callee: one
 * that the callee has changed leads to a frame that makes no sense. */
static bool restart_at(struct dz_unwinder *unwinder, unw_addr_space_t space, unw_cursor_t *cursor,
                       uint64_t slot) {
  struct user_regs_struct registers = {0};
  uint32_t known = 0;
  unw_word_t value;

  for (int number = 0; number < (int)DZ_ARRAY_SIZE(offsets); number++) {
    if (unw_get_reg(cursor, number, &value))
      continue;
    memcpy((char *)&registers + offsets[number], &value, sizeof value);
    known |= UINT32_C(1) << number;
  }
  if (!dz_unwind_read(unwinder, DZ_UNWIND_MEMORY, slot, &value, sizeof value))
    return false;
  registers.rip = value;
  registers.rsp = slot + sizeof value;
  unwinder->registers = registers;
  unwinder->known = known;
  return unw_init_remote(cursor, space, unwinder) == 0;
}

/* To the caller's frame: false at an end. libunwind tries the frame pointer where there are no
 * tables. */
static bool step(struct dz_unwinder *unwinder, unw_addr_space_t space, unw_cursor_t *cursor,
                 uint64_t ip, enum dz_backtrace_end *end) {
  bool blind = !has_tables(unwinder, space, ip - (unwinder->count > 1));
  unw_word_t stack;
  uint64_t slot;
  int stepped;

  if (blind && !unw_get_reg(cursor, UNW_REG_SP, &stack) &&
      dz_unwind_find_return(unwinder, ip, stack, &slot))
    return restart_at(unwinder, space, cursor, slot);
  stepped = unw_step(cursor);
  if (stepped > 0)
    return true;
  *end = blind ? DZ_BACKTRACE_BLIND : stepped < 0 ? DZ_BACKTRACE_BROKEN : DZ_BACKTRACE_WHOLE;
  return false;
}

/* A stack whose frames go round is left by the count of frames. */
static enum dz_backtrace_end unwind(struct dz_unwinder *unwinder, unw_addr_space_t space,
                                    unw_cursor_t *cursor) {
  enum dz_backtrace_end end = DZ_BACKTRACE_BROKEN;
  unw_word_t ip;

  while (unw_get_reg(cursor, UNW_REG_IP, &ip) == 0 && ip) {
    if (unwinder->count == DZ_FRAMES_MAX)
      return DZ_BACKTRACE_CUT;
    add_frame(unwinder, ip);
    if (!step(unwinder, space, cursor, ip, &end))
      return end;
  }
  return DZ_BACKTRACE_WHOLE;
}

/* From here on: the socket, memory that no code is in, and the end. */
static bool confine(void) {
#define ALLOW(call)                                                                                \
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1),                                           \
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
  struct sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      ALLOW(sendto),
      ALLOW(recvfrom),
      ALLOW(rt_sigprocmask), /* libunwind's locks */
      ALLOW(futex),
      ALLOW(brk),
      ALLOW(munmap),
      ALLOW(exit_group),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 2, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
#undef ALLOW
  struct sock_fprog filter = {.len = DZ_ARRAY_SIZE(program), .filter = program};

  return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
         !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

void dz_unwind_run(struct dz_unwinder *unwinder) {
  struct dz_unwind_message done = {.kind = DZ_UNWIND_DONE};
  unw_addr_space_t space;
  unw_cursor_t cursor;
  char go;

  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_NAME, "denizen-unwind");
  if (dup2(unwinder->socket, 0) < 0 || close_range(1, ~0U, 0))
    _exit(1);
  unwinder->socket = 0;
  unwinder->work = WORK_MAX;
  unwinder->registers = *unwinder->source->registers;
  unwinder->known =
      unwinder->source->all_registers ? ~UINT32_C(0) : 1 << UNW_X86_64_RIP | 1 << UNW_X86_64_RSP;
  /* Not before the parent holds a pidfd; and it may be gone already. */
  if (recv(unwinder->socket, &go, 1, 0) != 1)
    _exit(1);
  /* libunwind sets itself up here; of the guest it takes two registers. */
  space = unw_create_addr_space(&accessors, 0);
  if (!space || unw_init_remote(&cursor, space, unwinder) || !confine())
    _exit(1);
  unw_set_caching_policy(space, UNW_CACHE_NONE);
  done.index = unwind(unwinder, space, &cursor);
  unwinder->work = WORK_MAX;
  dz_unwind_symbols(unwinder);
  dz_unwind_tell(unwinder, &done);
  syscall(SYS_exit_group, 0);
  __builtin_unreachable();
}
