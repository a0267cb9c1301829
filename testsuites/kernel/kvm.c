/*
 * KVM: does it run a guest? Opening the device and real mode prove nothing: a host without
 * hardware virtualization beneath may offer /dev/kvm and emulate every instruction. A guest in
 * 64-bit mode counts to a million (0.3 ms on hardware) and then writes to a port.
 */
#include "testsuites/kernel/probes.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define MEMORY (2UL << 20)
#define CODE 0x1000
#define TABLES 0x2000 /* PML4, PDPT, PD, one page each */
#define STACK 0x8000
#define PORT 0x3f8

/*   mov $1000000, %ecx
 * 1: dec %ecx; jnz 1b
 *   mov $0x3f8, %edx; mov $'L', %al; out %al, (%dx); hlt */
static const unsigned char guest_code[] = {0xb9, 0x40, 0x42, 0x0f, 0x00, 0xff, 0xc9, 0x75, 0xfc,
                                           0xba, 0xf8, 0x03, 0x00, 0x00, 0xb0, 'L',  0xee, 0xf4};

/* 2 MiB identity-mapped, long mode on: Intel SDM volume 3, 4.5 and 10.8.5. */
static void fill_memory(unsigned char *memory) {
  uint64_t *tables = (uint64_t *)(memory + TABLES);

  tables[0] = (TABLES + 0x1000) | 3;
  tables[512] = (TABLES + 0x2000) | 3;
  tables[1024] = 0x83; /* present, writable, 2 MiB page at 0 */
  memcpy(memory + CODE, guest_code, sizeof guest_code);
}

static int set_registers(int cpu) {
  struct kvm_regs registers = {.rflags = 2, .rip = CODE, .rsp = STACK};
  struct kvm_segment code = {
      .limit = ~0U, .selector = 8, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1};
  struct kvm_segment data = {
      .limit = ~0U, .selector = 16, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1};
  struct kvm_sregs special;

  if (ioctl(cpu, KVM_GET_SREGS, &special) < 0)
    return -errno;
  special.cr3 = TABLES;
  special.cr4 = 0x20;       /* PAE */
  special.cr0 = 0x80050033; /* PG, AM, WP, NE, ET, MP, PE */
  special.efer = 0x500;     /* LMA, LME */
  special.cs = code;
  special.ds = special.es = special.ss = special.fs = special.gs = data;
  if (ioctl(cpu, KVM_SET_SREGS, &special) < 0 || ioctl(cpu, KVM_SET_REGS, &registers) < 0)
    return -errno;
  return 0;
}

/* A machine of one processor, ready to run; its descriptor, with run mapped. */
static int make_machine(int kvm, struct kvm_run **run) {
  int machine = ioctl(kvm, KVM_CREATE_VM, 0);
  unsigned char *memory =
      mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  struct kvm_userspace_memory_region region = {.memory_size = MEMORY,
                                               .userspace_addr = (uintptr_t)memory};
  int cpu, err;
  long size;

  if (machine < 0 || memory == MAP_FAILED)
    return -errno;
  fill_memory(memory);
  if (ioctl(machine, KVM_SET_USER_MEMORY_REGION, &region) < 0)
    return -errno;
  cpu = ioctl(machine, KVM_CREATE_VCPU, 0);
  size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
  if (cpu < 0 || size < 0)
    return -errno;
  *run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, cpu, 0);
  err = *run == MAP_FAILED ? -errno : set_registers(cpu);
  return err ? err : cpu;
}

int dz_probe_kvm(struct dz_probe_report *report) {
  int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
  struct kvm_run *run = NULL;
  double start = dz_probe_now();
  int version, cpu;

  if (kvm < 0)
    return dz_probe_lacks(report, -errno, "/dev/kvm: %s", strerror(errno));
  version = ioctl(kvm, KVM_GET_API_VERSION, 0);
  cpu = make_machine(kvm, &run);
  if (cpu < 0 || !run)
    return dz_probe_lacks(report, cpu, "API %d; no machine can be made: %s", version,
                          strerror(-cpu));
  /* What is reported if the runner has to end this. */
  dz_probe_ok(report, "API %d; it opens, but a 64-bit guest does not run", version);
  if (ioctl(cpu, KVM_RUN, 0) < 0)
    return dz_probe_lacks(report, -errno, "API %d; KVM_RUN: %s", version, strerror(errno));
  if (run->exit_reason != KVM_EXIT_IO || run->io.port != PORT)
    return dz_probe_lacks(report, -EPROTO, "API %d; the guest stopped for reason %u", version,
                          run->exit_reason);
  return dz_probe_ok(report, "API %d; a 64-bit guest ran, %.1f ms with making it", version,
                     (dz_probe_now() - start) / 1e3);
}
