// Programs for Python: built from a flat list, run with one call.
#include <pybind11/stl.h>

#include "bindings/convert.h"
#include "bindings/device_array.h"
#include "bindings/gil.h"
#include "bindings/inside.h"
#include "bindings/signals.h"
#include "core/error.h"
#include "core/interrupt.h"
#include "program/program.h"
#include "program/run.h"

namespace hornbeam {

// A plan that took less than this last time runs without giving up the GIL: letting go of it costs more.
static constexpr int64_t kShortNanoseconds = 20000;

static std::shared_ptr<Program> make_program(const py::list& values, const py::list& ops, const py::list& outputs,
                                             const py::list& updates, bool reuse, int first_constant_feed,
                                             const std::vector<int>& carried_in_place) {
  auto p = std::make_shared<Program>();
  p->options = {reuse, first_constant_feed, carried_in_place};
  for (py::handle h : values) {
    // (kind, dtype, shape, payload): payload is a feed's name, a variable, a constant's array
    auto t = py::reinterpret_borrow<py::tuple>(h);
    Value v;
    std::string kind = t[0].cast<std::string>();
    v.dtype = dtype_from_name(t[1].cast<std::string>());
    v.shape = shape_from_python(t[2]);
    int id = static_cast<int>(p->values.size());
    if (kind == "feed") {
      v.kind = ValueKind::feed;
      v.index = static_cast<int>(p->feeds.size());
      p->feeds.push_back(id);
      p->feed_names.push_back(string_from_python(t[3], "an input's name"));
    } else if (kind == "variable") {
      v.kind = ValueKind::variable;
      v.index = static_cast<int>(p->variables.size());
      p->variables.push_back(t[3].cast<VariablePtr>());
    } else if (kind == "constant") {
      v.kind = ValueKind::constant;
      v.index = static_cast<int>(p->constants.size());
      Feed f = feed_of(as_array(t[3], "constant"));
      auto c = std::make_shared<Constant>(v.dtype, f.shape);
      stage(f, v.dtype, c->data.data());
      p->constants.push_back(std::move(c));
    }
    p->values.push_back(v);
  }
  for (py::handle h : ops) {
    auto t = py::reinterpret_borrow<py::tuple>(h);
    OpInstance op;
    op.def = &OpRegistry::get().at(t[0].cast<std::string>());
    op.attrs = op.def->parse(attrs_from_python(t[1].cast<py::dict>()));
    op.in = t[2].cast<std::vector<int>>();
    op.out = t[3].cast<std::vector<int>>();
    op.label = string_from_python(t[4], "a label");
    op.bodies = t[5].cast<std::vector<std::shared_ptr<Program>>>();
    p->ops.push_back(std::move(op));
  }
  p->outputs = outputs.cast<std::vector<int>>();
  for (py::handle h : updates) {
    auto t = py::reinterpret_borrow<py::tuple>(h);
    p->updates.push_back({t[0].cast<int>(), t[1].cast<int>()});
  }
  p->finish();
  return p;
}

static Feed read_feed(py::handle h, const std::string& name, std::vector<py::object>& keep) {
  if (py::isinstance<py::tuple>(h) && py::len(h) == 2) {  // (array, row indices)
    auto t = py::reinterpret_borrow<py::tuple>(h);
    py::array a = as_array(t[0], "input '" + name + "'");
    auto rows = py::array_t<int64_t, py::array::c_style | py::array::forcecast>::ensure(t[1]);
    if (!rows || rows.ndim() != 1 || a.ndim() < 1)
      throw TypeError("input '" + name + "': a row feed is (array, 1-D integer indices)");
    Feed f = feed_of(a);
    f.rows = rows.data();
    f.row_count = rows.size();
    keep.push_back(std::move(a));
    keep.push_back(std::move(rows));
    return f;
  }
  if (const DeviceArrayPtr array = device_array_of(h)) {
    keep.push_back(py::cast(array));
    return array->feed;
  }
  py::array a = as_array(h, "input '" + name + "'");
  Feed f = feed_of(a);
  if (a.ptr() != h.ptr()) keep.push_back(std::move(a));
  return f;
}

static std::vector<Feed> read_feeds(const Program& program, const py::list& arrays, std::vector<py::object>& keep) {
  const size_t n = arrays.size();
  if (n != program.feeds.size())
    throw ValueError("expected " + std::to_string(program.feeds.size()) + " inputs, got " + std::to_string(n));
  std::vector<Feed> feeds;
  feeds.reserve(n);
  for (size_t i = 0; i < n; ++i) {
    const py::handle array = PyList_GET_ITEM(arrays.ptr(), static_cast<py::ssize_t>(i));
    feeds.push_back(read_feed(array, program.feed_names[i], keep));
  }
  return feeds;
}

// Arrays for a run to come, which the run before it may bring to its device.
struct EarlyArrays {
  py::list arrays;
  std::vector<py::object> keep;  // what is read of them
  bool is_read = false;
  EarlyFeeds early;

  void read(const Program& program) {
    if (is_read && early.feeds().size() == program.feeds.size()) return;
    is_read = false;
    keep.clear();
    early.set(read_feeds(program, arrays, keep));
    is_read = true;
  }
  void set(const py::list& list) {
    early.set({});
    keep.clear();
    is_read = false;
    arrays = list;
  }
};

static py::list run_once(Program& program, const std::vector<Feed>& feeds, RunCounter& counter,
                         const RunOptions& options = {}) {
  InsideCore inside;
  enter(inside);
  const Target& target = current_target();
  Run run(program, target, feeds, counter);
  while (!run.bind()) {
    const Interruptible interruptible(ctrl_c_waits);
    ReleasedGil no_gil;
    run.run_first_part();
  }
  const Plan& plan = run.plan();
  const size_t n_outputs = program.outputs.size();
  py::list outputs(n_outputs);
  std::vector<void*> pointers(n_outputs);
  for (size_t i = 0; i < n_outputs; ++i) {
    const DType dtype = plan.output_dtype(static_cast<int>(i));
    const Shape& shape = plan.output_shape(static_cast<int>(i));
    if (options.keeps_results && !target.device.is_host()) {
      DeviceArrayPtr a = new_device_array(target.device, dtype, shape);
      pointers[i] = const_cast<char*>(a->feed.data);
      outputs[i] = std::move(a);
    } else {
      py::array a = new_array(dtype, shape);
      pointers[i] = a.mutable_data();
      outputs[i] = std::move(a);
    }
  }
  const int64_t last = plan.last_nanoseconds();
  const bool is_short = last > 0 && last < kShortNanoseconds;
  if (is_short && run.run(pointers, true, options)) return outputs;
  const Interruptible interruptible(ctrl_c_waits);  // not worth its cost to the short ones
  ReleasedGil no_gil;
  run.run(pointers, false, options);
  inside.leave();  // before the GIL is waited for
  return outputs;
}

template <class F> static py::list run_uninterrupted(const F& once) {
  for (;;) {
    try {
      return once();
    } catch (const Interrupted&) {}
    handle_ctrl_c();  // mostly raises KeyboardInterrupt; if not, the run starts again, since it has written nothing
  }
}

static py::list run(Program& program, const py::list& arrays, RunCounter* counter) {
  std::vector<py::object> keep;
  const std::vector<Feed> feeds = read_feeds(program, arrays, keep);
  RunCounter once;
  return run_uninterrupted([&] { return run_once(program, feeds, counter ? *counter : once); });
}

static py::list run_there(Program& program, const py::list& arrays, RunCounter& counter) {
  std::vector<py::object> keep;
  const std::vector<Feed> feeds = read_feeds(program, arrays, keep);
  return run_uninterrupted([&] { return run_once(program, feeds, counter, {nullptr, nullptr, true}); });
}

static py::list run_ahead(Program& program, EarlyArrays& now, EarlyArrays* next, RunCounter& counter) {
  if (&now == next) throw ValueError("the feeds of two runs cannot wait in the same room");
  now.read(program);
  if (next) {
    try {
      next->read(program);
    } catch (const py::error_already_set&) {  // to be raised by the run that takes them
    } catch (const std::exception&) {}
  }
  return run_uninterrupted([&] {
    return run_once(program, now.early.feeds(), counter, {&now.early, next ? &next->early : nullptr, false});
  });
}

static std::shared_ptr<Plan> plan_for(Program& program, const py::list& shapes) {
  std::vector<Shape> s;
  for (py::handle h : shapes) s.push_back(shape_from_python(h));
  InsideCore inside;
  enter(inside);
  return program.plan_for(current_target(), s);
}

void bind_program(py::module_& m) {
  py::class_<Plan, std::shared_ptr<Plan>>(m, "Plan")
      .def_property_readonly("peak_bytes", &Plan::peak_bytes)
      .def_property_readonly("last_allocations", &Plan::last_allocations)
      .def_property_readonly("last_nanoseconds", &Plan::last_nanoseconds)
      .def("__str__", &Plan::describe);
  py::class_<EarlyArrays>(m, "EarlyFeeds", "What a run takes, and room on a device where it may lie before.")
      .def(py::init<>())
      .def_readonly("arrays", &EarlyArrays::arrays)
      .def("set", &EarlyArrays::set, py::arg("arrays"));
  py::class_<Program, std::shared_ptr<Program>>(m, "Program")
      .def(py::init(&make_program), py::arg("values"), py::arg("ops"), py::arg("outputs"), py::arg("updates"),
           py::arg("reuse") = true, py::arg("first_constant_feed") = -1,
           py::arg("carried_in_place") = std::vector<int>())
      .def("run", &run, py::arg("feeds"), py::arg("counter") = nullptr)
      .def("run_there", &run_there, py::arg("feeds"), py::arg("counter"),
           "Run; results are DeviceArrays where the device has memory of its own.")
      .def("run_ahead", &run_ahead, py::arg("now"), py::arg("next").none(true), py::arg("counter"),
           "Run, and bring what the next run takes to the device meanwhile, if it has memory of its own.")
      .def("bind", &plan_for, py::keep_alive<0, 1>())
      .def_property_readonly("has_random", &Program::has_random)
      .def("__str__", &Program::describe);
}

}  // namespace hornbeam
