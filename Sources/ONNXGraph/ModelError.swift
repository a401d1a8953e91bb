/// What is wrong with a model file, and where.
public enum ModelError: Error, Hashable, Sendable {
    /// A file that cannot be read.
    case unreadable(file: String, reason: String)
    /// A file that cannot be written.
    case unwritable(file: String, reason: String)
    /// Bytes that are not an ONNX model.
    case undecodable(DecodingFault)
    /// A message that cannot be written, such as one of 2 GiB or more.
    case unencodable
    /// A model without a graph.
    case missingGraph
    /// An IR version outside the range that this package reads.
    case unsupportedIRVersion(Int64, supported: ClosedRange<Int64>)
    /// A version of ONNX's own operator set outside the range that this package reads.
    case unsupportedOpset(Int64, supported: ClosedRange<Int64>)
    /// An operator set that is imported twice.
    case duplicateOpsetImport(domain: String)
    /// A node of an operator set that the model does not import.
    case missingOpsetImport(domain: String, at: NodePath)
    /// Subgraphs nested deeper than the limit.
    case nestedTooDeep(at: NodePath, limit: Int)
    /// More nodes than the limit, counted up to the end of this graph.
    case tooManyNodes(at: NodePath, limit: Int)
    /// A part of ONNX that this package does not read.
    case unsupportedFeature(String, at: NodePath)
    /// A node without an operator type.
    case missingOperatorType(at: NodePath)
    /// An input, output or initializer of a graph without a name.
    case missingValueName(graph: NodePath)
    /// A value that is made twice where both can be seen.
    case duplicateValue(String, at: NodePath)
    /// An initializer that stands twice in its graph.
    case duplicateInitializer(String, graph: NodePath)
    /// An initializer that is no input of its graph, which IR version 3 demands.
    case initializerIsNoInput(String, graph: NodePath)
    /// An input of a node that nothing makes.
    case undefinedValue(String, at: NodePath)
    /// An input of a node that a later node makes: the nodes are in the wrong order or form a cycle.
    case usedBeforeMade(String, at: NodePath, madeBy: NodePath)
    /// An output of a graph that nothing in the graph makes.
    case undefinedOutput(String, graph: NodePath)
    /// An attribute that cannot be read.
    case invalidAttribute(String, at: NodePath, AttributeFault)
    /// A function without a name.
    case missingFunctionName(index: Int)
    /// Two functions with one domain, name and overload.
    case duplicateFunction(String)
    /// A function that calls itself, at once or through others.
    case recursiveFunction(String)
    /// A function whose calls go deeper than the limit.
    case functionsNestedTooDeep(String, limit: Int)
    /// A call with more inputs or outputs than the function has.
    case functionSignature(function: String, inputs: Int, outputs: Int, at: NodePath)
    /// Functions that would become too many nodes.
    case inlinedTooLarge(limitBytes: Int, at: NodePath)
    /// A tensor that cannot be read.
    case invalidTensor(String, TensorFault)
    /// A model with external data that is written to another folder than it was read from.
    case externalDataLeftBehind(file: String)
    /// A value that no node of the graph makes, so that it cannot be exposed or replaced.
    case unknownValue(String, graph: NodePath)
    /// A path that leads to no node or subgraph of the model.
    case unknownPath(NodePath)
    /// A node of a type through which values cannot be exposed; only Scan and Loop bodies can.
    case notExposable(operatorType: String, at: NodePath)
}

/// Why bytes are not an ONNX model.
public enum DecodingFault: String, Hashable, Sendable {
    case empty, truncated, malformed, invalidUTF8, nestedTooDeep
}

/// Why an attribute cannot be read.
public enum AttributeFault: Hashable, Sendable {
    case missingName
    case duplicate
    case missingType
    case unknownType(Int32)
    case typeMismatch(declared: String)
    case referenceOutsideFunction
    /// It refers to an attribute that the function around it does not have.
    case unknownReference(String)
    /// The function that is called has no such attribute.
    case unknownToFunction
}
