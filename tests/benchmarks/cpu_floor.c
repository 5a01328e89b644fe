// What a CPU kernel itself costs: called in a loop from C, and its grid divided between threads that wait for each other.
//
//     cc -O2 -shared -fPIC -I INCLUDE cpu_floor.c -o cpu_floor.so -lpthread
#include <pthread.h>
#include <targetenv/kernel.h>

typedef int (*Kernel)(const targetenv_environment_t *, const targetenv_dispatch_t *, const targetenv_workgroup_t *);

// The same workgroup, `count` times.
int floor_loop(Kernel kernel, const targetenv_environment_t *environment, const targetenv_dispatch_t *dispatch,
               const targetenv_workgroup_t *workgroup, uint32_t count) {
  int failed = 0;
  for (uint32_t i = 0; i < count; ++i) failed |= kernel(environment, dispatch, workgroup);
  return failed;
}

struct Share {
  Kernel kernel;
  const targetenv_environment_t *environment;
  const targetenv_dispatch_t *dispatch;
  uint32_t first, last;
};

static void *work(void *argument) {
  const struct Share *share = argument;
  targetenv_workgroup_t workgroup = {0};
  for (uint32_t id = share->first; id < share->last; ++id) {
    workgroup.id_x = id;
    share->kernel(share->environment, share->dispatch, &workgroup);
  }
  return NULL;
}

// The whole one-dimensional grid, in two equal parts, one of them on a thread made for it.
int floor_halves(Kernel kernel, const targetenv_environment_t *environment, const targetenv_dispatch_t *dispatch) {
  const uint32_t count = dispatch->workgroup_count_x;
  struct Share one = {kernel, environment, dispatch, 0, count / 2}, two = {kernel, environment, dispatch, count / 2, count};
  pthread_t thread;
  if (pthread_create(&thread, NULL, work, &one)) return 1;
  work(&two);
  return pthread_join(thread, NULL);
}
