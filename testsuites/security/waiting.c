/* Not an attack: a guest that run.sh looks at from the host. */
#include <unistd.h>

int main(void) {
  (void)!write(STDOUT_FILENO, "ready\n", 6);
  sleep(5);
  return 0;
}
