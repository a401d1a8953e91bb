internal import SwiftProtobuf

/// Checks a model's functions: each by itself like a graph, and that none calls itself by any way.
struct FunctionValidator {
    private let functions: FunctionTable
    private let limits: ModelLimits
    /// How many calls deep the calls of a function go, the function itself included.
    private var depths: [FunctionTable.ID: Int] = [:]
    private var open: [FunctionTable.ID] = []

    init(_ functions: FunctionTable, _ limits: ModelLimits) {
        self.functions = functions
        self.limits = limits
    }

    mutating func validate(_ functions: [ProtoFunction]) throws(ModelError) {
        for (index, function) in functions.enumerated() {
            try checkBody(of: function, at: index)
            _ = try depth(of: function)
        }
    }

    private func checkBody(of function: ProtoFunction, at index: Int) throws(ModelError) {
        let id = FunctionTable.ID(function)
        let path = NodePath.root.appending(
            Node("Function", name: "function \(id)", inputs: [], outputs: []),
            at: index
        )
        var names: Set<String> = []
        for name in function.attribute + function.attributeProto.map(\.name) {
            guard !name.isEmpty else { throw .invalidAttribute(name, at: path, .missingName) }
            guard names.insert(name).inserted else { throw .invalidAttribute(name, at: path, .duplicate) }
        }
        try AttributeValidator.check(function.attributeProto, references: nil, limits) { path }
        let domains = try Model.checkedDomains(of: function.opsetImport)
        var graph = ProtoGraph()
        graph.input = function.input.map { Self.value($0) }
        graph.output = function.output.map { Self.value($0) }
        graph.node = function.node
        var validator = GraphValidator(
            domains: domains,
            functions: functions,
            references: names,
            limits: limits
        )
        try validator.validate(graph, at: path)
        for attribute in function.attributeProto where attribute.hasG {
            var validator = GraphValidator(domains: domains, functions: functions, limits: limits)
            try validator.validate(attribute.g, at: path.entering(attribute.name))
        }
    }

    private static func value(_ name: String) -> ProtoValueInfo {
        var value = ProtoValueInfo()
        value.name = name
        return value
    }

    private mutating func depth(of function: ProtoFunction) throws(ModelError) -> Int {
        let id = FunctionTable.ID(function)
        if let depth = depths[id] { return depth }
        guard !open.contains(id) else { throw .recursiveFunction("\(id)") }
        open.append(id)
        defer { open.removeLast() }
        let limit = limits.functionDepth
        var depth = 1
        for callee in functions.callees(of: function) {
            guard open.count < limit else { throw .functionsNestedTooDeep("\(id)", limit: limit) }
            depth = max(depth, 1 + (try self.depth(of: callee)))
        }
        guard depth <= limit else { throw .functionsNestedTooDeep("\(id)", limit: limit) }
        depths[id] = depth
        return depth
    }
}
